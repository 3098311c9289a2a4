"""The calls of each package through which its models come into being, or get their weights.

An estimator is there before it has learnt anything: what counts is that it is fitted. scikit-learn
checks the parameters of what is fitted by a method that all estimators have (``_fit_context`` in
sklearn/base.py), but not of what an estimator fits within itself.
"""

from __future__ import annotations

__all__ = ["CONVERTERS", "FRAMEWORKS", "GIVEN", "RETURNED"]

FRAMEWORKS = frozenset(
    {
        "torch", "tensorflow", "keras", "tf_keras", "sklearn", "joblib", "xgboost", "lightgbm",
        "catboost", "skorch", "scikeras", "flax", "jax",
        "equinox",
    }
)  # fmt: skip
"""Packages that make models for another one while it is used: replicas, traces, trees, folds."""
CONVERTERS = (
    "TFLiteKerasModelConverterV2",
    "TFLiteSavedModelConverterV2",
    "TFLiteFrozenGraphConverterV2",
)
"""What makes TFLite models, in tensorflow/lite/python/lite.py."""
GIVEN = (
    ("tensorflow.python.module.module", "Module.__init__"),
    ("torch.nn.modules.module", "Module.__init__"),
    ("sklearn.base", "BaseEstimator._validate_params"),
    ("xgboost.core", "Booster.__init__"),
    *(
        ("xgboost.sklearn", f"{name}.fit")
        for name in ("XGBModel", "XGBClassifier", "XGBRanker", "XGBRFClassifier", "XGBRFRegressor")
    ),
    ("lightgbm.basic", "Booster.__init__"),
    ("lightgbm.sklearn", "LGBMModel.fit"),
    ("catboost.core", "CatBoost._fit"),
    ("skorch.net", "NeuralNet.initialize"),
    ("scikeras.wrappers", "BaseWrapper.fit"),
)
"""Methods whose instance is a model."""
RETURNED = (
    ("keras.src.ops.operation", "Operation.__new__"),
    ("tf_keras.src.engine.base_layer", "Layer.__new__"),
    ("keras.src.engine.base_layer", "Layer.__new__"),
    ("flax.nnx.pytreelib", "PytreeMeta.__call__"),
    ("flax.nnx.object", "ObjectMeta.__call__"),
    ("flax.linen.module", "Module.init"),
    ("equinox._module._module", "_ModuleMeta.__call__"),
    ("onnx.helper", "make_model"),
    ("joblib.numpy_pickle", "load"),
    ("pickle", "load"),
    ("pickle", "loads"),
    *(("tensorflow.lite.python.lite", f"{name}.convert") for name in CONVERTERS),
)
"""Calls that return a model."""
