"""Values of fields that were left out, kind by kind; each function fills them in in place.

Follows ``pkg/apis/core/v1/defaults.go``. Pure.
"""
