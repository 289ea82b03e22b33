using System.Net;
using EdgeBroker.Coap.Client;
using EdgeBroker.Coap.Codec;
using EdgeBroker.Coap.Listeners;
using EdgeBroker.Core;
using EdgeBroker.Core.Events;
using EdgeBroker.Core.Messages;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Receivers;
using EdgeBroker.Core.Security;
using EdgeBroker.Testing;
using EdgeBroker.Transport.Listeners;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeBroker.Coap.Tests.Client;

/// <summary>The client against the server, over real sockets. It blocks, so it runs beside the test.</summary>
public sealed class RequesterTests : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private static readonly byte[] Key = [.. Enumerable.Range(1, 16).Select(i => (byte)i)];

    private readonly Broker _broker = new(
        TestBrokerOptions.Quiet, new BrokerClock(TimeProvider.System), VolatileJournal.Instance, new BrokerEvents(), "test");

    private readonly CoapListenerFamily _family;
    private readonly string _keys = Path.GetTempFileName();
    private readonly List<string> _trace = [];

    public RequesterTests()
    {
        _family = new CoapListenerFamily(_broker, new AnonymousAuthenticator(), TimeProvider.System, NullLoggerFactory.Instance);
        File.WriteAllText(_keys, "sensor:" + Convert.ToHexString(Key) + "\n");
    }

    public async ValueTask DisposeAsync()
    {
        await _family.DisposeAsync();
        File.Delete(_keys);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_value_is_put_read_and_deleted(bool isSecure)
    {
        IPEndPoint server = await OpenAsync(isSecure);
        await RunAsync(server, isSecure, client =>
        {
            Assert.Equal(CoapCode.Created, client.Ask(Of(CoapCode.Put) with { Payload = "71.5"u8.ToArray(), ContentFormat = ContentFormats.Text }).Code);
            CoapReply read = client.Ask(Of(CoapCode.Get));
            Assert.Equal((CoapCode.Content, 0u), (read.Code, read.ContentFormat));
            Assert.Equal("71.5"u8.ToArray(), read.Payload);
            Assert.Equal(CoapCode.Changed, client.Ask(Of(CoapCode.Post) with { Payload = "1"u8.ToArray(), IsConfirmable = false }).Code);
            Assert.Equal(CoapCode.Deleted, client.Ask(Of(CoapCode.Delete)).Code);
            CoapReply gone = client.Ask(Of(CoapCode.Get));
            Assert.Equal((CoapCode.NotFound, "no value of a/b"), (gone.Code, System.Text.Encoding.UTF8.GetString(gone.Payload)));
        });
        Assert.Contains(_trace, line => line.StartsWith("> CON PUT id ", StringComparison.Ordinal) && line.EndsWith(
            " UriPath:ps UriPath:a UriPath:b ContentFormat:0 : 4 bytes 71.5", StringComparison.Ordinal));
        Assert.Contains(_trace, line => line.StartsWith("< ACK 2.01 id ", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(16, 6_000)]
    [InlineData(64, 20_000)]
    [InlineData(512, 65_536)]
    [InlineData(1_024, 65_536)]
    public async Task A_body_goes_in_blocks_both_ways(int block, int length)
    {
        IPEndPoint server = await OpenAsync(isSecure: false);
        byte[] body = [.. Enumerable.Range(0, length).Select(i => (byte)(i * 31))];
        await RunAsync(server, isSecure: false, client =>
        {
            Assert.Equal(CoapCode.Created, client.Ask(Of(CoapCode.Put) with { Payload = body, BlockSize = block }).Code);
            Assert.Equal(body, client.Ask(Of(CoapCode.Get) with { BlockSize = block }).Payload);
        });
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_observer_is_handed_each_value_until_it_has_enough(bool isSecure)
    {
        IPEndPoint server = await OpenAsync(isSecure);
        Publish("first");
        var got = new List<string>();
        await RunAsync(server, isSecure, client => client.Observe(Of(CoapCode.Get), reply =>
        {
            got.Add(System.Text.Encoding.UTF8.GetString(reply.Payload));
            if (got.Count == 1) Publish(new string('x', 2_000));
            return got.Count < 2;
        }));
        Assert.Equal(["first", new string('x', 2_000)], got);
        CoapListener listener = (CoapListener)_family.Listeners[0];
        await Deadline.Until(() => listener.Server.Resources.ObservationCount == 0, "the observation to end");
    }

    [Fact]
    public async Task A_wrong_key_is_said_in_words()
    {
        IPEndPoint server = await OpenAsync(isSecure: true);
        CoapClientException failure = await Assert.ThrowsAsync<CoapClientException>(() => Beside(() =>
        {
            using ClientLink link = ClientLink.OverDtls(server, "sensor", new byte[16], Limit);
        }));
        Assert.Equal("the DTLS handshake failed: the server does not know this identity, or has another key for it", failure.Message);
    }

    [Fact]
    public async Task Nobody_there_is_said_in_words()
    {
        IPEndPoint server = await OpenAsync(isSecure: false);
        await _family.Listeners[0].RemoveAsync();
        CoapClientException failure = await Assert.ThrowsAsync<CoapClientException>(
            () => RunAsync(server, isSecure: false, client => client.Ask(Of(CoapCode.Get))));
        Assert.Equal($"nobody listens at {server}", failure.Message);
    }

    private static CoapDemand Of(CoapCode method) => new(method, ["ps", "a", "b"]);

    private static Task Beside(Action work) => Deadline.Within(
        Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default), "the client");

    private Task RunAsync(IPEndPoint server, bool isSecure, Action<CoapRequester> work) => Beside(() =>
    {
        using ClientLink link = isSecure ? ClientLink.OverDtls(server, "sensor", Key, Limit) : ClientLink.OverUdp(server);
        work(new CoapRequester(link, Limit, TimeProvider.System, _trace.Add, CancellationToken.None));
    });

    private void Publish(string payload)
    {
        using LocalClient client = _broker.OpenLocal("publisher", new LocalClientOptions());
        client.PublishAsync(new Message { Topic = "a/b"u8.ToArray(), Payload = System.Text.Encoding.UTF8.GetBytes(payload), Retain = true })
            .GetAwaiter().GetResult();
    }

    private async Task<IPEndPoint> OpenAsync(bool isSecure)
    {
        IListener listener = await _family.OpenAsync(new ListenerSettings
        {
            Protocol = isSecure ? ListenerProtocol.Coaps : ListenerProtocol.Coap,
            Address = "127.0.0.1:0",
            AllowAnonymous = true,
            PskFile = isSecure ? _keys : null,
        });
        await listener.BeginAsync();
        return IPEndPoint.Parse(listener.EndPoint);
    }
}
