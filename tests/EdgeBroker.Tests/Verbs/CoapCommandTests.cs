using EdgeBroker.Cli.Options;
using EdgeBroker.Coap.Listeners;
using EdgeBroker.Core;
using EdgeBroker.Core.Events;
using EdgeBroker.Core.Ports;
using EdgeBroker.Core.Security;
using EdgeBroker.Testing;
using EdgeBroker.Transport.Listeners;
using EdgeBroker.Verbs;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeBroker.Tests.Verbs;

/// <summary><c>coap</c>, from words to a server, output and exit code.</summary>
public sealed class CoapCommandTests : IAsyncDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly StringWriter _out = new();
    private readonly StringWriter _error = new();
    private readonly MemoryStream _output = new();
    private readonly CoapListenerFamily _family = new(
        new Broker(TestBrokerOptions.Quiet, new BrokerClock(TimeProvider.System), VolatileJournal.Instance, new BrokerEvents(), "test"),
        new AnonymousAuthenticator(), TimeProvider.System, NullLoggerFactory.Instance);

    public async ValueTask DisposeAsync()
    {
        await _family.DisposeAsync();
        _directory.Dispose();
        await _out.DisposeAsync();
        await _error.DisposeAsync();
        await _output.DisposeAsync();
    }

    [Theory]
    [InlineData("coap://gw/ps/a/b", false, "gw", null, "ps|a|b", "")]
    [InlineData("coaps://[::1]:7/ps/a%2fb/%C3%A4?q=1&c=x%26y", true, "[::1]", 7, "ps|a/b|ä", "q=1|c=x&y")]
    [InlineData("COAP://127.0.0.1:5683", false, "127.0.0.1", 5683, "", "")]
    [InlineData("coap://gw/ps/+/#", false, "gw", null, "ps|+|#", "")]
    [InlineData("coap://gw/", false, "gw", null, "", "")]
    public void A_URI_is_read(string text, bool isSecure, string host, int? port, string path, string query)
    {
        CoapTarget target = CoapTarget.Parse(text)!;
        Assert.Equal((isSecure, host, port), (target.IsSecure, target.Host, target.Port));
        Assert.Equal((path, query), (string.Join('|', target.Path), string.Join('|', target.Query)));
    }

    [Theory]
    [InlineData("http://gw/ps/a")]
    [InlineData("coap:///ps/a")]
    [InlineData("coap://gw:0/ps/a")]
    [InlineData("coap://gw:x/ps/a")]
    [InlineData("coap://anna@gw/ps/a")]
    [InlineData("ps/a")]
    public void What_is_no_URI_is_wrong_usage(string text)
    {
        Assert.Null(CoapTarget.Parse(text));
        Assert.Equal(64, Run("coap", "get", text));
    }

    [Fact]
    public async Task A_value_is_put_printed_observed_and_deleted()
    {
        string root = await OpenAsync();
        Assert.Equal(0, Run("coap", "put", root + "ps/a", "-m", "71.5", "-t", "text/plain"));
        Assert.Equal(0, Run("coap", "get", root + "ps/a", "-v", "-T", "a1b2"));
        Assert.Equal("71.5", Printed());
        Assert.StartsWith("> CON GET id ", _error.ToString(), StringComparison.Ordinal);
        Assert.Contains(" token a1b2 UriPath:ps UriPath:a\n< ACK 2.05 id ", _error.ToString(), StringComparison.Ordinal);
        Assert.Equal(0, Run("coap", "observe", root + "ps/a", "-C", "1"));
        Assert.Equal("71.5\n", Printed());
        Assert.Equal(0, Run("coap", "delete", root + "ps/a"));
        Assert.Equal(1, Run("coap", "get", root + "ps/a"));
        Assert.Equal("edgebroker coap get: 4.04 no value of a\n", _error.ToString());
    }

    [Theory]
    [InlineData("coap get: keys are for coaps://", "coap", "get", "coap://gw/ps/a", "-u", "x")]
    [InlineData("coap put: --payload and --file are two bodies; leave out one of the two", "coap", "put", "coap://gw/ps/a", "-m", "x", "-f", "y")]
    [InlineData("coap get: --token x: give 1 to 8 bytes, 2 to 16 hexadecimal digits", "coap", "get", "coap://gw/ps/a", "--token", "x")]
    [InlineData("coap get: URI is missing", "coap", "get")]
    public void Wrong_usage(string told, params string[] words)
    {
        Assert.Equal(64, Run(words));
        Assert.StartsWith("edgebroker " + told, _error.ToString(), StringComparison.Ordinal);
    }

    private string Printed() => System.Text.Encoding.UTF8.GetString(_output.ToArray());

    private async Task<string> OpenAsync()
    {
        IListener listener = await _family.OpenAsync(new ListenerSettings { Protocol = ListenerProtocol.Coap, Address = "127.0.0.1:0", AllowAnonymous = true });
        await listener.BeginAsync();
        return $"coap://{listener.EndPoint}/";
    }

    private int Run(params string[] words)
    {
        _out.GetStringBuilder().Clear();
        _error.GetStringBuilder().Clear();
        _output.SetLength(0);
        return VerbTable.All.Run(words, new CommandContext
        {
            Out = _out,
            Error = _error,
            OpenOutput = () => new Kept(_output),
            WorkingDirectory = _directory.Path,
            Time = TimeProvider.System,
        });
    }

    /// <summary>What a command closes goes on.</summary>
    private sealed class Kept(MemoryStream kept) : MemoryStream
    {
        public override void Write(byte[] buffer, int offset, int count) => kept.Write(buffer, offset, count);

        public override void Write(ReadOnlySpan<byte> buffer) => kept.Write(buffer);
    }
}
