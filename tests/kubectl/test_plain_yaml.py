"""Plain YAML is read as PyYAML reads it, or not at all."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from podium.kubectl.plain_yaml import load

KUBECONFIG = """\
apiVersion: v1
kind: Config
# whose
clusters:
- cluster:
    certificate-authority: pki/ca.crt
    server: https://127.0.0.1:6443
    insecure-skip-tls-verify: false
  name: "podium"
contexts:
- {}
- context: {}
  name: a
preferences: {}
users:
  - name: admin
    user:
      client-key-data: LS0tLS1CRUdJTg==
      token: null
      exec:
        args: []
        command: /usr/bin/true
current-context: a
"""


def test_a_kubeconfig():
    assert load(KUBECONFIG) == yaml.safe_load(KUBECONFIG)
    assert load(KUBECONFIG) is not None


@pytest.mark.parametrize(
    "text",
    ["a: 1", "a: yes", "a: b c", "a: b # c", "a: &x b", "a: *x", "a: |\n  b", "a: 'it''s'",
     'a: "\\n"', "a: {b: c}", "a: [b]", "a: b\n  c", "a: b\n c: d", "- a", "a", "a: b\na: c",
     "a:\tb", "a: é", "? a\n: b", "a: !x b", "a: 1.5", "a: 2001-01-01", "---\na: b", "-", "a: -",
     "a:b", "a: b:", "y: a", "a:\n- - b"],
)  # fmt: skip
def test_what_is_not_plain_is_left_to_others(text):
    found = load(text)
    assert found is None or found == yaml.safe_load(text)


TEXTS = st.text("abyn:/-_ .'\"#={}1", max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=10,
)


@settings(suppress_health_check=[HealthCheck.too_slow])  # a machine may be busy
@given(st.dictionaries(TEXTS, VALUES, max_size=4))
def test_what_is_read_is_what_was_written(value):
    text = yaml.safe_dump(value, default_flow_style=False)
    assert load(text) in (None, value)


@given(st.text("ab:-/ \n'\"#", max_size=24))
def test_what_is_read_at_all_is_read_as_pyyaml_reads_it(text):
    found = load(text)
    if found is not None:
        assert found == yaml.safe_load(text)
