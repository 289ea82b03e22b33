using System.Net.Sockets;
using System.Text;
using EdgeBroker.Cli.Control;
using EdgeBroker.Control;
using EdgeBroker.Logging;
using EdgeBroker.Testing;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Tests.Reloading;

/// <summary>The socket by which other processes ask a broker: who may, how much, and whose it is.</summary>
public sealed class ControlSocketTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly LogStream _log = new();
    private readonly LineLoggerFactory _loggers;

    public ControlSocketTests() => _loggers = new LineLoggerFactory(_log, new TextFormat(false, false), LogLevel.Information, TimeProvider.System);

    private string SocketPath => ControlPath.In(_directory.Path);

    public void Dispose()
    {
        _loggers.Dispose();
        _log.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public void A_request_is_answered_with_an_exit_code_and_what_was_asked_for()
    {
        using ControlSocket? control = Open(request => new ControlAnswer { ExitCode = 78, Problem = $"{request.Ask} {request.ClientId} {request.Limit}?" });
        ControlAnswer answer = Ask(new ControlRequest("kick") { ClientId = "a\nb\u001b\u00e4", Limit = 7 })!;
        Assert.Equal((78, "kick a\nb\u001b\u00e4 7?"), (answer.ExitCode, answer.Problem));
    }

    [Fact]
    public void The_socket_is_for_its_owner_alone_and_gone_with_the_broker()
    {
        ControlSocket? control = Open();
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(SocketPath));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(SocketPath + ".lock"));
        control!.Dispose();
        Assert.False(File.Exists(SocketPath));
        Assert.Null(Ask("reload", out string problem));
        Assert.StartsWith($"no broker answers: there is no {SocketPath}.", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void The_socket_of_a_dead_broker_is_replaced()
    {
        using (var dead = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            // By another name, which the runtime then deletes instead of this one.
            dead.Bind(new UnixDomainSocketEndPoint(SocketPath + "x"));
            dead.Listen();
            File.Move(SocketPath + "x", SocketPath);
        }

        Assert.True(File.Exists(SocketPath));
        Assert.Null(Ask("reload", out string problem));
        Assert.StartsWith($"no broker answers at {SocketPath}: the one that made this socket has ended", problem, StringComparison.Ordinal);
        using ControlSocket? control = Open();
        Assert.Equal("ok", Ask("reload")!.Problem);
    }

    [Fact]
    public void The_socket_of_a_living_broker_is_not_stolen()
    {
        using ControlSocket? first = Open(_ => Answered("first"));
        using ControlSocket? second = Open(_ => Answered("second"));
        Assert.Null(second);
        Assert.True(_loggers.Flush(Deadline.Timeout));
        Assert.Contains("no control socket", _log.Text, StringComparison.Ordinal);
        Assert.Equal("first", Ask("reload")!.Problem);
    }

    [Fact]
    public void What_is_no_socket_is_left_where_it_is()
    {
        _directory.Write(Path.GetFileName(SocketPath), "mine");
        using ControlSocket? control = Open();
        Assert.Null(control);
        Assert.Equal("mine", File.ReadAllText(SocketPath));
    }

    [Fact]
    public void A_path_too_long_for_a_socket_is_said_with_its_length_on_both_sides()
    {
        string deep = Path.Combine(_directory.Path, new string('d', 100));
        using ControlSocket? control = ControlSocket.Open(deep, _ => Answered("ok"), TimeProvider.System, _loggers.CreateLogger("t"));
        Assert.Null(control);
        Assert.True(_loggers.Flush(Deadline.Timeout));
        string expected = $"{Encoding.UTF8.GetByteCount(ControlPath.In(deep))} bytes, and the system allows a socket 107";
        Assert.Contains(expected, _log.Text, StringComparison.Ordinal);
        Assert.Null(ControlClient.Ask(deep, new ControlRequest("reload"), Deadline.Timeout, out string problem));
        Assert.Contains(expected, problem, StringComparison.Ordinal);
    }

    [Fact]
    public void The_longest_request_is_heard_and_a_longer_one_is_not()
    {
        var heard = new List<int>();
        using ControlSocket? control = Open(request =>
        {
            heard.Add(request.ClientId?.Length ?? 0);
            return Answered("ok");
        });
        Assert.Equal("ok", Ask(
            new ControlRequest("x") { ClientId = new string('\u0001', 65_535), After = new string('"', 65_535), Topic = new string('\'', 65_535) })!.Problem);
        // Cut off while it is still sent, its sender may find the connection broken instead of an answer.
        Assert.Equal(1, Ask(new ControlRequest("x") { ClientId = new string('x', 2 * 1024 * 1024) })?.ExitCode ?? 1);
        Assert.Equal(0, Ask(new ControlRequest("x"))!.ExitCode);
        Assert.Equal([65_535, 0], heard);
    }

    [Theory]
    [InlineData("reload\n")]
    [InlineData("{}\n")]
    [InlineData("{\"ask\":null}\n")]
    [InlineData("[1]\n")]
    [InlineData("\n")]
    [InlineData("{\"ask\":\"reload\"\n")]
    public void What_is_no_request_is_answered_with_what_is_one(string line)
    {
        using ControlSocket? control = Open();
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Connect(new UnixDomainSocketEndPoint(SocketPath));
        socket.Send(Encoding.UTF8.GetBytes(line));
        using var answer = new MemoryStream();
        byte[] part = new byte[4096];
        for (int count; (count = socket.Receive(part)) > 0;) answer.Write(part, 0, count);
        Assert.StartsWith("a request is one line of JSON", ControlAnswer.FromBytes(answer.ToArray())!.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Whoever_goes_without_a_line_holds_nobody_up()
    {
        using ControlSocket? control = Open();
        for (int i = 0; i < 20; i++)
        {
            using var silent = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            silent.Connect(new UnixDomainSocketEndPoint(SocketPath));
            if (i % 2 == 0) silent.Send("no end"u8);
        }

        Assert.Equal("ok", Ask("reload")!.Problem);
    }

    [Fact]
    public async Task Stopping_does_not_wait_for_somebody_who_says_nothing()
    {
        ControlSocket? control =
            ControlSocket.Open(_directory.Path, _ => Answered("ok"), TimeProvider.System, _loggers.CreateLogger("t"), TimeSpan.FromDays(1));
        using var silent = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        silent.Connect(new UnixDomainSocketEndPoint(SocketPath));
        await Deadline.Within(Task.Run(control!.Dispose), "the socket to close");
    }

    [Fact]
    public void An_answer_may_be_large()
    {
        string[] errors = [.. Enumerable.Range(0, 30_000).Select(i => i + new string('y', 100))];
        using ControlSocket? control = Open(_ => new ControlAnswer { Reload = new ReloadAnswer("", errors, [], [], []) });
        Assert.Equal(errors, Ask("reload")!.Reload!.Errors);
    }

    [Theory]
    [InlineData("")]
    [InlineData("exit 0\n")]
    [InlineData("{\"exit_code\":0")]
    [InlineData("[]")]
    [InlineData("HTTP/1.1 400 Bad Request\n")]
    public void What_is_not_an_answer_is_none(string bytes) => Assert.Null(ControlAnswer.FromBytes(Encoding.UTF8.GetBytes(bytes)));

    private static ControlAnswer Answered(string said) => new() { Problem = said };

    private ControlSocket? Open(Func<ControlRequest, ControlAnswer>? serve = null) =>
        ControlSocket.Open(_directory.Path, serve ?? (_ => Answered("ok")), TimeProvider.System, _loggers.CreateLogger("t"));

    private ControlAnswer? Ask(string ask) => Ask(ask, out _);

    private ControlAnswer? Ask(string ask, out string problem) => Ask(new ControlRequest(ask), out problem);

    private ControlAnswer? Ask(ControlRequest request) => Ask(request, out _);

    private ControlAnswer? Ask(ControlRequest request, out string problem) => ControlClient.Ask(_directory.Path, request, Deadline.Timeout, out problem);
}
