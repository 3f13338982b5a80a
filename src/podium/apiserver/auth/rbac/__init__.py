"""Role-based access control: the rules, who they are granted to, and the roles that are there from
the start. Follows ``k8s.io/kubernetes/plugin/pkg/auth/authorizer/rbac``."""
