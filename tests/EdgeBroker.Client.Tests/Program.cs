using System.Globalization;
using System.Text;
using EdgeBroker.Protocol;

namespace EdgeBroker.Client.Tests;

/// <summary>A publisher with a file, alone in a process, for tests that kill it.</summary>
public static class Program
{
    /// <summary>
    /// <c>PORT FILE QOS FIRST COUNT</c>: enqueues COUNT numbers from FIRST, ten at a time, and writes each to its output when it is kept; then waits until the
    /// broker has all of the file.
    /// </summary>
    public static async Task<int> Main(string[] arguments)
    {
        int[] numbers = [.. new[] { 0, 2, 3, 4 }.Select(i => int.Parse(arguments[i], CultureInfo.InvariantCulture))];
        (int port, var qos, int first, int count) = (numbers[0], (QoS)numbers[1], numbers[2], numbers[3]);
        await using FileMessageStore store = FileMessageStore.Open(arguments[1]);
        var options = new MqttClientOptions
        {
            Transport = new TcpTransport("127.0.0.1", port),
            ClientId = "sender",
            CleanStart = false,
            SessionExpirySeconds = 3600,
            Reconnect = new ReconnectOptions { FirstDelay = TimeSpan.FromMilliseconds(10), LongestDelay = TimeSpan.FromMilliseconds(50) },
        };
        await using var client = new MqttClient(options, new ClientSession(store));
        client.Start();
        foreach (int[] some in Enumerable.Range(first, count).Chunk(10))
        {
            Task[] kept = [.. some.Select(i => client.EnqueueAsync(new PublishMessage("plant/a", Encoding.UTF8.GetBytes($"{i}")) { QoS = qos }))];
            for (int i = 0; i < kept.Length; i++)
            {
                await kept[i];
                // At once, and unbuffered: what is written here was promised.
                await Console.Out.WriteLineAsync($"{some[i]}");
            }
        }

        // The store tells nobody when it is empty. Whoever started this process ends it where it takes too long.
        while (store.Count > 0) await Task.Delay(10);
        await client.DisconnectAsync();
        return 0;
    }
}
