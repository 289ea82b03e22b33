using System.Buffers;
using System.Collections;
using System.Reflection;

namespace EdgeBroker.Mqtt.Tests.Rig;

/// <summary>
/// The arrays that the runtime's shared pool keeps: some 130 KB of each thread, and 4 MB of each core, for a minute and more. They are bounded, and would hide
/// what a test looks for.
/// </summary>
internal static class SharedArrays
{
    /// <summary>Lets go of those that nobody uses.</summary>
    public static void Clear()
    {
        object pool = ArrayPool<byte>.Shared;
        Array.Clear((Array)FieldOf(pool, "_buckets"));
        foreach (object thread in (IEnumerable)FieldOf(pool, "_allTlsBuckets"))
        {
            Array.Clear((Array)thread.GetType().GetProperty("Key")!.GetValue(thread)!);
        }
    }

    private static object FieldOf(object owner, string name) =>
        owner.GetType().GetField(name, BindingFlags.Instance | BindingFlags.NonPublic)?.GetValue(owner)
            ?? throw new InvalidOperationException($"The runtime's pool has no {name} any more.");
}
