"""A program that compiles where memory for code and for constants comes gigabytes apart.

The highest gaps of the address space are made to hold constants only; code goes below 8 GB that
are taken. Libraries of PyTorch leave such a landscape.
"""

import ctypes
import mmap

import autograd

libc = ctypes.CDLL(None, use_errno=True)
SIZE, GAP = 8 << 30, 64 << 10


def f(x, y):
    total = x
    for i in range(6000):
        total = total + autograd.sin(total * (0.1 + 0.001 * i)) * y
    return total


def main() -> None:
    kernel = autograd.compile(f)
    first = kernel(1.0, 0.5)  # recorded, and whatever LLVM needs is loaded
    no_reserve = 0x4000
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | no_reserve
    libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t] + [ctypes.c_int] * 3 + [ctypes.c_long]
    libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
    start = libc.mmap(None, SIZE, 0, flags, -1, 0)
    assert start not in (None, ctypes.c_void_p(-1).value), ctypes.get_errno()
    # Fill the gaps above that code would fit into.
    for size in (1 << 24, 1 << 22, 1 << 20, 1 << 19, 1 << 18):
        for _ in range(2000):
            place = libc.mmap(None, size, 0, flags, -1, 0)
            if place < start:
                libc.munmap(place, size)
                break
    for k in range(1, 64):
        libc.munmap(start + SIZE - 2 * k * GAP, GAP)
    for x in (1.0, 2.0, 3.0):
        assert kernel(x, 0.5) == f(x, 0.5)
    assert kernel(1.0, 0.5) == first
    print("right")


main()
