"""How the boosted trees here were made (xgboost 3.2, lightgbm 4.7, NumPy).

    python tests/data/make_boosted.py

Two trees of XGBoost in both of its formats, and of LightGBM, on eight rows of two features.
"""

from pathlib import Path

import lightgbm
import numpy as np
import xgboost

HERE = Path(__file__).parent / "boosted"
ROWS = np.array([[n, n % 3] for n in range(8)], "float32")
TARGET = np.array([0, 0, 0, 0, 1, 1, 1, 1], "float32")
NAMES = ["age", "größe"]


def main():
    """Write all files."""
    HERE.mkdir(exist_ok=True)
    data = xgboost.DMatrix(ROWS, TARGET, feature_names=NAMES)
    settings = {"nthread": 1, "min_child_weight": 0, "base_score": 0.5, "max_depth": 2}
    booster = xgboost.train(settings, data, 2)
    booster.set_attr(best_iteration="1")
    booster.save_model(HERE / "xgboost.json")
    booster.save_model(HERE / "xgboost.ubj")
    settings = {"num_threads": 1, "verbose": -1, "min_data_in_leaf": 1, "min_data_in_bin": 1}
    rows = lightgbm.Dataset(ROWS, TARGET, feature_name=NAMES)
    lightgbm.train(settings, rows, 2).save_model(HERE / "lightgbm.txt")


if __name__ == "__main__":
    main()
