"""Credit scoring: the features a score may use, the model, its reasons, the decision policy and its receipt."""
