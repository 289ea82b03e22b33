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
    public void A_line_is_answered_with_an_exit_code_and_lines()
    {
        using ControlSocket? control = Open(request => new ControlAnswer(78, [request + "?", "\u001b[31mred"]));
        ControlAnswer answer = Ask("reload")!;
        Assert.Equal(78, answer.ExitCode);
        Assert.Equal(["reload?", "\\u001b[31mred"], answer.Lines);
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
        Assert.Equal("ok", Assert.Single(Ask("reload")!.Lines));
    }

    [Fact]
    public void The_socket_of_a_living_broker_is_not_stolen()
    {
        using ControlSocket? first = Open(_ => new ControlAnswer(0, ["first"]));
        using ControlSocket? second = Open(_ => new ControlAnswer(0, ["second"]));
        Assert.Null(second);
        Assert.True(_loggers.Flush(Deadline.Patience));
        Assert.Contains("no control socket", _log.Text, StringComparison.Ordinal);
        Assert.Equal("first", Assert.Single(Ask("reload")!.Lines));
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
        using ControlSocket? control = ControlSocket.Open(deep, _ => new ControlAnswer(0, []), TimeProvider.System, _loggers.CreateLogger("t"));
        Assert.Null(control);
        Assert.True(_loggers.Flush(Deadline.Patience));
        string expected = $"{Encoding.UTF8.GetByteCount(ControlPath.In(deep))} bytes, and the system allows a socket 107";
        Assert.Contains(expected, _log.Text, StringComparison.Ordinal);
        Assert.Null(ControlClient.Ask(deep, "reload", Deadline.Patience, out string problem));
        Assert.Contains(expected, problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(256)]
    [InlineData(5000)]
    public void A_request_that_is_too_long_is_not_heard(int length)
    {
        var heard = new List<string>();
        using ControlSocket? control = Open(request =>
        {
            heard.Add(request);
            return new ControlAnswer(0, []);
        });
        // Cut off while it is still sent, its sender may find the connection broken instead of an answer.
        Assert.Equal(1, Ask(new string('x', length))?.ExitCode ?? 1);
        Assert.Equal(0, Ask("x")!.ExitCode);
        Assert.Equal(["x"], heard);
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

        Assert.Equal("ok", Assert.Single(Ask("reload")!.Lines));
    }

    [Fact]
    public async Task Stopping_does_not_wait_for_somebody_who_says_nothing()
    {
        ControlSocket? control =
            ControlSocket.Open(_directory.Path, _ => new ControlAnswer(0, []), TimeProvider.System, _loggers.CreateLogger("t"), TimeSpan.FromDays(1));
        using var silent = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        silent.Connect(new UnixDomainSocketEndPoint(SocketPath));
        await Deadline.Within(Task.Run(control!.Dispose), "the socket to close");
    }

    [Fact]
    public void An_answer_of_many_or_long_lines_is_cut_and_says_so()
    {
        using ControlSocket? control = Open(_ => new ControlAnswer(1, [.. Enumerable.Range(0, 3000).Select(i => i + new string('y', 1000))]));
        ControlAnswer answer = Ask("reload")!;
        Assert.Equal(1001, answer.Lines.Count);
        Assert.Equal("... and 2000 more lines, which are in the log", answer.Lines[^1]);
        Assert.EndsWith("yy...", answer.Lines[0], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("exit 0")]
    [InlineData("exit x\n")]
    [InlineData("exit -1\n")]
    [InlineData("HTTP/1.1 400 Bad Request\n")]
    public void What_is_not_an_answer_is_none(string bytes) => Assert.Null(ControlAnswer.FromBytes(Encoding.UTF8.GetBytes(bytes)));

    private ControlSocket? Open(Func<string, ControlAnswer>? serve = null) =>
        ControlSocket.Open(_directory.Path, serve ?? (_ => new ControlAnswer(0, ["ok"])), TimeProvider.System, _loggers.CreateLogger("t"));

    private ControlAnswer? Ask(string request) => Ask(request, out _);

    private ControlAnswer? Ask(string request, out string problem) => ControlClient.Ask(_directory.Path, request, Deadline.Patience, out problem);
}
