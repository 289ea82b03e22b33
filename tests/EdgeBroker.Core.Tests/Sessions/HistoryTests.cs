using CsCheck;
using EdgeBroker.Core.Tests.Rig;

namespace EdgeBroker.Core.Tests.Sessions;

/// <summary>
/// Three clients come, go, take over, subscribe, publish, acknowledge in any order and read at times; beside the broker runs a model so plain that it can be
/// read. Nothing is lost, nothing comes twice, order is kept, no limit is passed, and the session asks for every callback it needs.
/// </summary>
public sealed class HistoryTests
{
    [Fact]
    public void Any_history_of_three_clients_is_as_the_model_says() => Steps.Of(40, 120).Sample(Run, iter: 3_000, print: Print);

    private static string Print((int Op, int A, int B)[] steps) => string.Join(", ", steps.Select(step => $"({step.Op}, {step.A}, {step.B})"));

    private static void Run((int Op, int A, int B)[] steps)
    {
        var bench = new Bench();
        ModelClient[] clients = [.. Enumerable.Range(0, 3).Select(i => new ModelClient(bench, "c" + i))];
        int message = 0;
        foreach ((int op, int a, int b) in steps)
        {
            ModelClient client = clients[a % 3];
            string topic = b % 2 == 0 ? "a" : "b";
            switch (op)
            {
                case < 4: client.Connect(cleanStart: b % 5 == 0, expirySeconds: b % 3 == 0 ? 0u : 100, receiveMaximum: 1 + (b % 4)); break;
                case < 6: client.Disconnect(newExpirySeconds: b % 7 == 0 ? 0u : null); break;
                case < 10: client.Subscribe(Filter(b), b / 4 % 3); break;
                case < 11: client.Unsubscribe(Filter(b)); break;
                case < 22: Publish(topic, b / 2 % 3, a % 5 == 0 ? client : null); break;
                case < 29: client.Acknowledge(0); break;
                case < 32: client.Acknowledge(b); break;
                case < 36: client.Pump(); break;
                case < 38: client.ToggleRoom(); break;
                default: Advance(b % 4 == 0 ? 60 : 1); break;
            }

            foreach (ModelClient one in clients) one.Check();
        }

        foreach (ModelClient client in clients) client.Drain();

        void Publish(string topic, int qos, ModelClient? publisher)
        {
            string payload = "m" + message++;
            foreach (ModelClient one in clients) one.Expect(topic, payload, qos);
            bench.Publish(topic, payload, (Protocol.QoS)qos, publisher: publisher?.Session);
        }

        void Advance(int seconds)
        {
            bench.Advance(seconds);
            foreach (ModelClient one in clients) one.Pass(seconds);
        }
    }

    private static string Filter(int b) => (b % 4) switch { 0 => "a", 1 => "b", 2 => "+", _ => "#" };
}
