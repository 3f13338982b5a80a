"""AppArmor profiles of containers: the node's own by name, and one of ours for RuntimeDefault.

Ours is loaded when a container first asks for it, under the cluster's name, and unloaded by
:func:`unload`. A container that says nothing runs without one.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from podium.kit.process import ProcessFailed, run
from podium.runtime.port import LinuxContainerSecurityContext, ProfileType, RuntimeFailure

_DIRECTORY = Path("/sys/kernel/security/apparmor")
_ENABLED = Path("/sys/module/apparmor/parameters/enabled")
_PARSER = "apparmor_parser"


def enabled() -> bool:
    with contextlib.suppress(OSError):
        return _ENABLED.read_text().startswith("Y") and _DIRECTORY.exists()
    return False


async def profile_for(
    context: LinuxContainerSecurityContext, cluster: str, *, available: bool
) -> str:
    """Return the name of the container's profile, "" for none; it is loaded then.

    *cluster* names the profile that is ours. Raises RuntimeFailure in containerd's words.
    """
    wish = context.apparmor
    if context.privileged or wish is None or wish.profile_type is ProfileType.UNCONFINED:
        return ""
    if not available:
        raise RuntimeFailure("failed to create containerd container: apparmor is not supported")
    if wish.profile_type is ProfileType.LOCALHOST:
        if wish.localhost_ref not in loaded_profiles():
            raise RuntimeFailure(
                "failed to create containerd container: "
                f"apparmor profile not found {wish.localhost_ref}"
            )
        return wish.localhost_ref
    if cluster not in loaded_profiles():
        try:
            await run(_PARSER, "-Kr", input=default_profile(cluster).encode())
        except (ProcessFailed, FileNotFoundError) as exc:
            raise RuntimeFailure(
                f"failed to create containerd container: load apparmor profile {cluster}: {exc}"
            ) from exc
    return cluster


async def unload(cluster: str) -> None:
    """Take our profile out of the kernel. Repeatable."""
    if cluster in loaded_profiles():
        await run(_PARSER, "-R", input=default_profile(cluster).encode(), check=False)


def loaded_profiles() -> set[str]:
    try:
        return parse_profiles((_DIRECTORY / "profiles").read_text())
    except OSError:
        return set()


def parse_profiles(text: str) -> set[str]:
    """Read the kernel's list: ``NAME (MODE)``, one a line."""
    return {line.rpartition(" (")[0] for line in text.splitlines() if line.endswith(")")}


def default_profile(name: str) -> str:
    """Everything but mounting, and writing to what in /proc and /sys is the node's."""
    return f"""\
profile "{name}" flags=(attach_disconnected,mediate_deleted) {{
  network,
  capability,
  file,
  umount,

  signal (receive) peer=unconfined,
  signal (receive) peer=runc,
  signal (receive) peer=crun,
  signal (send,receive) peer="{name}",
  ptrace (trace,tracedby,read,readby) peer="{name}",

  deny mount,

  deny /proc/{{kcore,kmem,mem,sysrq-trigger}} rwklx,
  deny /proc/sys/{{abi,debug,dev,vm}}/** w,
  deny /proc/sys/kernel/{{core_pattern,hotplug,modprobe,panic*,poweroff_cmd}} w,
  deny /sys/[^f]** w,
  deny /sys/{{firmware,kernel/security}}/** rwklx,
}}
"""
