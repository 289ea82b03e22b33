using EdgeBroker.Coap.Codec;
using EdgeBroker.Coap.Tests.Rig;
using EdgeBroker.Testing;

namespace EdgeBroker.Coap.Tests.Messages;

/// <summary>Requests that come in somebody else's name: what the broker sends there is at most three times what came, on the wire.</summary>
public sealed class SpoofedSourceTests : IDisposable
{
    // Ethernet, IPv4 and UDP around each datagram; a frame has 84 bytes at least.
    private const int FrameBytes = 66;
    private const int LeastFrameBytes = 84;

    private readonly GatewayRig _rig = new();

    public void Dispose() => _rig.Dispose();

    [Theory]
    [InlineData(CoapCodes.Get, false, false)]
    [InlineData(CoapCodes.Get, true, false)]
    [InlineData(CoapCodes.Get, false, true)]
    [InlineData(CoapCodes.Get, true, true)]
    [InlineData(CoapCodes.Put, false, false)]
    [InlineData(CoapCodes.Post, true, false)]
    [InlineData(CoapCodes.Delete, false, false)]
    public async Task What_is_sent_there_is_little_for_hours(byte method, bool isNon, bool observes)
    {
        _rig.Publish("a", new string('x', 2_000), retain: true);
        var victims = new List<(TestPeer Victim, int Sent)>();
        for (int i = 0; i < 20; i++)
        {
            TestPeer victim = _rig.Peer(1_000 + i, "192.0.2.9");
            RequestOptions options = (isNon ? RequestOptions.Non : new RequestOptions()) with { Token = [] };
            if (observes) options = options.With(OptionNumber.Observe, 0);
            if (method is CoapCodes.Put or CoapCodes.Post) options = options.Carrying("1");
            victims.Add((victim, victim.Send(new CoapCode(method), "ps/a", options).Length));
        }

        for (int n = 0; n < 40; n++)
        {
            _rig.Publish("a", new string('y', 2_000) + n, retain: true);
            _rig.Time.Advance(TimeSpan.FromMinutes(3));
        }

        // Who follows a topic is told by another thread, now or a little later.
        await Deadline.Until(
            () =>
            {
                _rig.Time.Advance(TimeSpan.FromMinutes(3));
                return _rig.Server.Resources.ObservationCount == 0;
            },
            "all observations to end");
        foreach ((TestPeer victim, int sent) in victims)
        {
            int received = 0;
            while (victim.HasMail) received += Framed(victim.Expect().Length);
            Assert.InRange(received, 0, 3 * Framed(sent));
        }
    }

    [Fact]
    public async Task An_observer_that_answers_is_told_on_and_on()
    {
        TestPeer observer = _rig.Peer(1_000, "192.0.2.9");
        observer.Get("ps/a", new RequestOptions().With(OptionNumber.Observe, 0));
        for (int n = 0; n < 20; n++)
        {
            _rig.Publish("a", "value " + n);
            await observer.MailAsync();
            Answer told = observer.Expect();
            Assert.Equal("value " + n, told.Text);
            observer.Acknowledge(told);
        }
    }

    private static int Framed(int length) => Math.Max(LeastFrameBytes, length + FrameBytes);

    /// <summary>Methods, as attributes may hold them.</summary>
    private static class CoapCodes
    {
        public const byte Get = 1;
        public const byte Post = 2;
        public const byte Put = 3;
        public const byte Delete = 4;
    }
}
