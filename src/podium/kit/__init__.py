"""What could be a library: clock, back-off, processes, files, logs. Knows no Pod."""
