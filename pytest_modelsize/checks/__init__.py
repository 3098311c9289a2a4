"""From one artifact to a verdict and its explanation; knows no pytest."""
