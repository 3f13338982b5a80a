"""Who gets in at the kubelet's door, and to what: the API server is asked, answers are kept.

Follows ``k8s.io/kubernetes/pkg/kubelet/server/auth.go`` and the delegating authenticator and
authorizer of ``k8s.io/apiserver``.
"""
