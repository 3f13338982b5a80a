"""What is wrong with an object: every offence at once, at its field's path, in Kubernetes' words.

Objects are expected with their defaults filled in. Follows
``pkg/apis/core/validation/validation.go``. Pure.
"""
