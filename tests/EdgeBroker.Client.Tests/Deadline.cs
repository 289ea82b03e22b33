using System.Diagnostics;

namespace EdgeBroker.Client.Tests;

/// <summary>Waits end here at the latest; a test that gets here has failed.</summary>
internal static class Deadline
{
    public static readonly TimeSpan Time = EdgeBroker.Testing.Deadline.Timeout;

    public static Task<T> Within<T>(this Task<T> task) => task.WaitAsync(Time);

    public static Task Within(this Task task) => task.WaitAsync(Time);

    public static async Task UntilAsync(Func<bool> condition, string what)
    {
        long start = Stopwatch.GetTimestamp();
        while (!condition())
        {
            Assert.True(Stopwatch.GetElapsedTime(start) < Time, $"Waited in vain: {what}.");
            await Task.Yield();
        }
    }

    public static async Task<ReceivedMessage> NextAsync(this MqttClient client)
    {
        Assert.True(await client.WaitToReceiveAsync().AsTask().Within());
        Assert.True(client.TryReceive(out ReceivedMessage? message));
        return message;
    }
}
