"""Programs of a few hundred bytes, for what has to be there without costing anything.

They are written out as machine code because nothing smaller is sure to be on a machine; where there
is none for the machine's architecture, callers do without, or with something larger.
"""

from __future__ import annotations

import contextlib
import os
import platform
import struct

_MFD_CLOEXEC, _MFD_EXEC = 0x1, 0x10
_ENTRY, _HEADERS, _X86_64 = 0x400000, 64 + 56, 62


def program(name: str, code: bytes) -> int | None:
    """Return a file in memory with the program made of x86-64 *code*; None where the machine is
    another, or the kernel executes no such files."""
    if platform.machine() != "x86_64":
        return None
    for flags in (_MFD_CLOEXEC | _MFD_EXEC, _MFD_CLOEXEC):  # kernels before 6.3 know no MFD_EXEC
        with contextlib.suppress(OSError):
            descriptor = os.memfd_create(name, flags)
            if os.access(f"/proc/self/fd/{descriptor}", os.X_OK):  # vm.memfd_noexec may forbid it
                os.write(descriptor, executable(code))
                return descriptor
            os.close(descriptor)
    return None


def executable(code: bytes) -> bytes:
    """The program as an ELF file: one segment, mapped readable and executable."""
    size = _HEADERS + len(code)
    identification = b"\x7fELF\x02\x01\x01" + bytes(9)
    header = struct.pack(
        "<HHIQQQIHHHHHH", 2, _X86_64, 1, _ENTRY + _HEADERS, 64, 0, 0, 64, 56, 1, 0, 0, 0
    )
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, _ENTRY, _ENTRY, size, size, 0x1000)
    return identification + header + segment + code
