"""Services: which Pods are behind them, at which ports. Pure."""
