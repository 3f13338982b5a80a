"""x86 programs of a few bytes that make one system call, to see what a filter says to it."""

from __future__ import annotations

import struct

_ADDRESS = 0x400000
_SYSCALL, _INT_80 = b"\x0f\x05", b"\xcd\x80"


def system_call(number: int, *arguments: int) -> bytes:
    """Return a 64-bit program that makes a call and exits with its errno, with 0 on success."""
    code = b"".join(  # mov edi, …; mov esi, …; mov edx, …
        register + struct.pack("<I", value)
        for register, value in zip((b"\xbf", b"\xbe", b"\xba"), arguments, strict=False)
    )
    code += b"\xb8" + struct.pack("<I", number) + _SYSCALL  # mov eax, number
    code += b"\x48\xf7\xd8\x31\xff\x48\x85\xc0"  # neg rax; xor edi, edi; test rax, rax
    code += b"\x78\x02\x89\xc7"  # js over; mov edi, eax; over:
    code += b"\xb8\x3c\x00\x00\x00" + _SYSCALL  # exit(edi)
    header = struct.pack(
        "<16sHHIQQQIHHHHHH",
        b"\x7fELF\x02\x01\x01", 2, 62, 1, _ADDRESS + 120, 64, 0, 0, 64, 56, 1, 0, 0, 0,
    )  # fmt: skip
    size = 120 + len(code)
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, _ADDRESS, _ADDRESS, size, size, 4096)
    return header + segment + code


def system_call_32(number: int) -> bytes:
    """Return a 32-bit program that makes a call without arguments and exits with 7."""
    code = b"\xb8" + struct.pack("<I", number) + _INT_80
    code += b"\xb8\x01\x00\x00\x00\xbb\x07\x00\x00\x00" + _INT_80  # exit(7)
    header = struct.pack(
        "<16sHHIIIIIHHHHHH",
        b"\x7fELF\x01\x01\x01", 2, 3, 1, _ADDRESS + 84, 52, 0, 0, 52, 32, 1, 0, 0, 0,
    )  # fmt: skip
    size = 84 + len(code)
    segment = struct.pack("<IIIIIIII", 1, 0, _ADDRESS, _ADDRESS, size, size, 5, 4096)
    return header + segment + code
