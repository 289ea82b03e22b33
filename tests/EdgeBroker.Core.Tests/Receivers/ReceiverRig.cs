using System.Text;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Receivers;
using EdgeBroker.Core.Tests.Rig;
using EdgeBroker.Protocol;

namespace EdgeBroker.Core.Tests.Receivers;

/// <summary>A message as its receiver got it.</summary>
internal sealed record Received(string Topic, string Payload, QoS QoS, bool Retain, string Identifiers);

/// <summary>A client of some kind, as the contract of receivers sees it.</summary>
internal abstract class ReceiverRig
{
    /// <summary>Its kinds.</summary>
    public static TheoryData<string> Kinds => ["session", "local"];

    public abstract Receiver Receiver { get; }

    /// <summary>Opens one on a bench.</summary>
    /// <param name="kind">One of <see cref="Kinds"/>.</param>
    /// <param name="bench">The bench; a session's bounds are those of its options.</param>
    /// <param name="name">Its name.</param>
    /// <param name="bounds">The bounds of a local client's queue.</param>
    public static ReceiverRig Open(string kind, Bench bench, string name, LocalClientOptions? bounds = null) =>
        kind == "session" ? new SessionRig(bench, name) : new LocalRig(bench, name, bounds ?? new LocalClientOptions());

    public abstract ReasonCode Subscribe(
        string filter, QoS qos = QoS.ExactlyOnce, uint identifier = 0, bool noLocal = false, bool retainAsPublished = false, RetainHandling handling = default);

    public abstract ReasonCode Unsubscribe(string filter);

    public abstract ReasonCode Publish(string topic, string payload, QoS qos = QoS.AtMostOnce);

    /// <summary>From here on messages wait.</summary>
    public abstract void Stall();

    /// <summary>Takes all that is there, what waited included.</summary>
    public abstract List<Received> Take();

    public abstract void Close();

    public List<string> TakePayloads() => [.. Take().Select(one => one.Payload)];

    private static string Text(uint[]? identifiers) => identifiers is null ? "" : string.Join(' ', identifiers.Order());

    private sealed class SessionRig(Bench bench, string name) : ReceiverRig
    {
        private readonly Client _client = bench.Connect(name);

        public override Receiver Receiver => _client.Session;

        public override ReasonCode Subscribe(string filter, QoS qos, uint identifier, bool noLocal, bool retainAsPublished, RetainHandling handling) =>
            _client.Subscribe(filter, qos, identifier, noLocal, retainAsPublished, handling);

        public override ReasonCode Unsubscribe(string filter) => _client.Unsubscribe(filter);

        public override ReasonCode Publish(string topic, string payload, QoS qos) => _client.Publish(topic, payload, qos).Reason;

        public override void Stall() => _client.Link.HasRoom = false;

        public override List<Received> Take()
        {
            _client.Link.HasRoom = true;
            _client.Pump();
            List<Received> all = [.. _client.Sent.Select(one => new Received(one.Topic, one.Payload, one.QoS, one.Retain, Text(one.SubscriptionIdentifiers)))];
            _client.Sent.Clear();
            return all;
        }

        public override void Close() => _client.Drop();
    }

    private sealed class LocalRig(Bench bench, string name, LocalClientOptions options) : ReceiverRig
    {
        private readonly LocalClient _client = bench.Broker.OpenLocal(name, options);

        public override Receiver Receiver => _client;

        public override ReasonCode Subscribe(string filter, QoS qos, uint identifier, bool noLocal, bool retainAsPublished, RetainHandling handling) =>
            _client.Subscribe(filter, new SubscriptionOptions(qos, noLocal, retainAsPublished, handling), identifier);

        public override ReasonCode Unsubscribe(string filter) => _client.Unsubscribe(filter);

        public override ReasonCode Publish(string topic, string payload, QoS qos)
        {
            ValueTask<ReasonCode> published =
                _client.PublishAsync(new Message { Topic = Encoding.UTF8.GetBytes(topic), Payload = Encoding.UTF8.GetBytes(payload), QoS = qos });
            Assert.True(published.IsCompletedSuccessfully);
            return published.Result;
        }

        public override void Stall()
        {
        }

        public override List<Received> Take()
        {
            var all = new List<Received>();
            while (_client.TryRead(out LocalDelivery one))
            {
                all.Add(new Received(
                    Encoding.UTF8.GetString(one.Message.Topic), Encoding.UTF8.GetString(one.Message.Payload), one.QoS, one.Retain,
                    Text(one.SubscriptionIdentifiers)));
            }

            return all;
        }

        public override void Close() => _client.Dispose();
    }
}
