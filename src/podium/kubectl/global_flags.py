"""Flags that every command takes: which cluster, as whom, in which namespace."""

from __future__ import annotations

from podium.kubectl.flags import Flag, Kind

GLOBAL_FLAGS = (
    Flag("as", usage="Username to impersonate for the operation. User could be a regular user or a "
         "service account in a namespace."),
    Flag("as-group", [], "Group to impersonate for the operation, this flag can be repeated to "
         "specify multiple groups.", kind=Kind.ARRAY),
    Flag("as-uid", usage="UID to impersonate for the operation."),
    Flag("as-user-extra", [], "User extras to impersonate for the operation, this flag can be "
         "repeated to specify multiple values for the same key.", kind=Kind.ARRAY),
    Flag("cache-dir", usage="Default cache directory"),
    Flag("certificate-authority", usage="Path to a cert file for the certificate authority"),
    Flag("client-certificate", usage="Path to a client certificate file for TLS"),
    Flag("client-key", usage="Path to a client key file for TLS"),
    Flag("cluster", usage="The name of the kubeconfig cluster to use"),
    Flag("context", usage="The name of the kubeconfig context to use"),
    Flag("disable-compression", False, "If true, opt-out of response compression for all requests "
         "to the server", kind=Kind.BOOL),
    Flag("insecure-skip-tls-verify", False, "If true, the server's certificate will not be checked "
         "for validity. This will make your HTTPS connections insecure", kind=Kind.BOOL),
    Flag("kubeconfig", usage="Path to the kubeconfig file to use for CLI requests."),
    Flag("namespace", usage="If present, the namespace scope for this CLI request", short="n"),
    Flag("kuberc", usage="Path to the kuberc file to use for preferences. This can be disabled by "
         "exporting KUBECTL_KUBERC=false feature gate or turning off the feature KUBERC=off."),
    Flag("log-flush-frequency", 5.0, "Maximum number of seconds between log flushes",
         kind=Kind.DURATION),
    Flag("profile", "none", "Name of profile to capture. One of (none|cpu|heap|goroutine|"
         "threadcreate|block|mutex|trace)"),
    Flag("profile-output", "profile.pprof", "Name of the file to write the profile to"),
    Flag("match-server-version", False, "Require server version to match client version",
         kind=Kind.BOOL),
    Flag("password", usage="Password for basic authentication to the API server"),
    Flag("proxy-url", usage="Proxy URL to use for requests to the API server"),
    Flag("request-timeout", "0", "The length of time to wait before giving up on a single server "
         "request. Non-zero values should contain a corresponding time unit (e.g. 1s, 2m, 3h). A "
         "value of zero means don't timeout requests."),
    Flag("server", usage="The address and port of the Kubernetes API server", short="s"),
    Flag("tls-server-name", usage="Server name to use for server certificate validation. If it is "
         "not provided, the hostname used to contact the server is used"),
    Flag("token", usage="Bearer token for authentication to the API server"),
    Flag("user", usage="The name of the kubeconfig user to use"),
    Flag("username", usage="Username for basic authentication to the API server"),
    Flag("v", 0, "number for the log level verbosity", short="v", kind=Kind.LEVEL),
    Flag("vmodule", usage="comma-separated list of pattern=N settings for file-filtered logging "
         "(only works for the default text log format)", kind=Kind.MODULES),
    Flag("warnings-as-errors", False, "Treat warnings received from the server as errors and exit "
         "with a non-zero exit code", kind=Kind.BOOL),
    Flag("data-dir", usage="State of the Podium cluster whose kubeconfig is used. Without it, "
         "/var/lib/podium where there is no other"),
    Flag("help", False, short="h", kind=Kind.BOOL, hidden=True),
)  # fmt: skip
