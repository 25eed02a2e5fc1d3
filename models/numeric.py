"""Base-two logarithm and power in single precision, for the hot kernels.

Both are a bit split plus a polynomial, without table, branch or ``fastmath``: a loop over a
contiguous array becomes vector code, and the same input gives the same bits on every machine
of one architecture. They cost about a nanosecond a value in such a loop; ``np.log2`` costs ten.
"""

# numba's decorators carry no types
from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

from models.compiled import compiled


@intrinsic
def _bits(typing_context: Any, value: Any) -> Any:
    """Reinterpret a float32 as int32."""
    signature = types.int32(types.float32)

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], context.get_value_type(types.int32))

    return signature, build


@intrinsic
def _from_bits(typing_context: Any, value: Any) -> Any:
    """Reinterpret an int32 as float32."""
    signature = types.float32(types.int32)

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], context.get_value_type(types.float32))

    return signature, build


@intrinsic
def add_scaled4(
    typing_context: Any, target: Any, row: Any, source: Any, slot: Any, factors: Any
) -> Any:
    """Do ``target[row] += factors * source[slot]`` for rows of four float32; say if it was zero.

    The arrays are C-contiguous of shape (n, 4), the factors of shape (4,). One load, multiply,
    add and store of a whole row; numba keeps LLVM from finding these by itself.
    """
    signature = types.int64(target, types.int64, source, types.int64, factors)
    four = ir.VectorType(ir.FloatType(), 4)

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        def pointer(place: int, index: Any) -> Any:
            array = context.make_array(signature.args[place])(context, builder, arguments[place])
            start = builder.mul(index, ir.Constant(ir.IntType(64), 4))
            return builder.bitcast(builder.gep(array.data, [start]), four.as_pointer())

        def load(place: int, index: Any) -> Any:
            return builder.load(pointer(place, index), align=4)

        before = load(0, arguments[1])
        first = ir.Constant(ir.IntType(64), 0)
        scaled = builder.fmul(load(4, first), load(2, arguments[3]))
        builder.store(builder.fadd(before, scaled), pointer(0, arguments[1]), align=4)
        bits = ir.IntType(128)
        was_zero = builder.icmp_unsigned("==", builder.bitcast(before, bits), ir.Constant(bits, 0))
        return builder.zext(was_zero, ir.IntType(64))

    return signature, build


@intrinsic
def prefetch(typing_context: Any, array: Any, index: Any) -> Any:
    """Ask for the cache line of an element of a one- or two-dimensional C-contiguous array.

    The index counts elements of the flat array. Changes nothing but the time of a later read.
    """
    signature = types.void(array, types.int64)

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        byte, number = ir.IntType(8), ir.IntType(32)
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        at = builder.bitcast(builder.gep(data, [arguments[1]]), byte.as_pointer())
        kind = ir.FunctionType(ir.VoidType(), [byte.as_pointer(), number, number, number])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0i8")
        builder.call(function, [at, number(0), number(3), number(1)])
        return context.get_dummy_value()

    return signature, build


@compiled
def bits_of_f32(value: np.float32) -> int:
    """Return the bits of a float32 as an integer, which grows with non-negative values.

    >>> bits_of_f32(np.float32(1.0)) == 127 << 23
    True
    """
    return _bits(value)


@compiled
def find_i32(values: NDArray[np.int32], wanted: int) -> int:
    """Return the last position of a value, or -1.

    A maximum over all positions is one vector loop; stopping at the first hit would be none.

    >>> find_i32(np.array([5, 7, 9], np.int32), 7), find_i32(np.array([5], np.int32), 6)
    (1, -1)
    """
    found = np.int32(-1)
    for p in range(len(values)):
        found = max(found, np.int32(p) if values[p] == wanted else np.int32(-1))
    return found  # type: ignore[return-value]  # an int32 to numba


@compiled
def log2_f32(x: np.float32) -> np.float32:
    """Return log2 of a positive, normal float32.

    ``log2(2^e (1 + m)) = e + m p(m)``, ``p`` a Chebyshev fit of degree 6 on [0, 1).

    Absolute error below 2e-6 plus one float32 spacing of the result; undefined for zero,
    negative, subnormal and non-finite values.

    >>> [round(float(log2_f32(np.float32(v))), 5) for v in (1.0, 8.0, 10.0, 1e-4)]
    [0.0, 3.0, 3.32193, -13.28771]
    """
    bits = _bits(np.float32(x))
    exponent = np.float32((bits >> np.int32(23)) - np.int32(127))
    m = _from_bits((bits & np.int32(0x7FFFFF)) | np.int32(0x3F800000)) - np.float32(1.0)
    p = np.float32(0.020488763) * m - np.float32(0.09606144)
    p = p * m + np.float32(0.21558294)
    p = p * m - np.float32(0.33924466)
    p = p * m + np.float32(0.4777051)
    p = p * m - np.float32(0.7211626)
    p = p * m + np.float32(1.4426932)
    return exponent + m * p


@compiled
def exp2_f32(x: np.float32) -> np.float32:
    """Return 2 to the power of a float32, clamped to the normal range [2^-126, 2^126].

    ``2^(n + r) = 2^n p(r)``, ``p`` a Chebyshev fit of degree 5 on [0, 1).

    Relative error below 3e-7.

    >>> [round(float(exp2_f32(np.float32(v))), 5) for v in (0.0, 3.0, -1.5, 0.5)]
    [1.0, 8.0, 0.35355, 1.41421]
    """
    clamped = min(max(np.float32(x), np.float32(-126.0)), np.float32(126.0))
    whole = np.floor(clamped)
    r = clamped - whole
    p = np.float32(0.0018951079) * r + np.float32(0.008946219)
    p = p * r + np.float32(0.05586327)
    p = p * r + np.float32(0.24014078)
    p = p * r + np.float32(0.69315463)
    p = p * r + np.float32(0.9999999)
    return p * _from_bits((np.int32(whole) + np.int32(127)) << np.int32(23))
