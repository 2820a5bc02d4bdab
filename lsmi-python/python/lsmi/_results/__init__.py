"""What :func:`lsmi.analyze` gives of more than two modalities, targets that are numbers, several labels, and lags."""
