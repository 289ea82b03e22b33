using CsCheck;

namespace EdgeBroker.Core.Tests.Rig;

/// <summary>Random histories: lists of steps, each an operation and two operands, which shrink to the shortest that fails.</summary>
internal static class Steps
{
    public static Gen<(int Op, int A, int B)[]> Of(int operations, int most) =>
        Gen.Select(Gen.Int[0, operations - 1], Gen.Int[0, 9_999], Gen.Int[0, 9_999]).Array[0, most];
}
