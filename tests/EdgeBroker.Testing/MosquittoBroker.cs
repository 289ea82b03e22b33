using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace EdgeBroker.Testing;

/// <summary>A real mosquitto on a free loopback port: the foreign broker clients are tested against.</summary>
public sealed class MosquittoBroker : IDisposable
{
    private readonly LoopbackPort _port = new();
    private readonly LoopbackPort _webSocketPort = new();
    private readonly Process _process;
    private readonly string _directory;
    private readonly StringBuilder _log = new();

    /// <summary>Starts it and waits until it listens.</summary>
    public MosquittoBroker()
    {
        string executable = Find("mosquitto");
        _directory = Directory.CreateTempSubdirectory("edgebroker-mosquitto-").FullName;
        SocketPath = Path.Combine(_directory, "mqtt.sock");
        string config = Path.Combine(_directory, "mosquitto.conf");
        File.WriteAllText(
            config,
            $"listener {Port} 127.0.0.1\nlistener {WebSocketPort} 127.0.0.1\nprotocol websockets\nlistener 0 {SocketPath}\nallow_anonymous true\nuser "
            + $"{Environment.UserName}\nmax_queued_messages 100000\nlog_type subscribe\nlog_type error\n");
        _process = Process.Start(new ProcessStartInfo(executable, ["-c", config]) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        _process.ErrorDataReceived += (_, line) =>
        {
            lock (_log) _log.AppendLine(line.Data);
        };
        _process.BeginErrorReadLine();
        _process.BeginOutputReadLine();
        WaitUntilListening();
    }

    /// <summary>The TCP port.</summary>
    public int Port => _port;

    /// <summary>The TCP port of WebSocket.</summary>
    public int WebSocketPort => _webSocketPort;

    /// <summary>The Unix socket.</summary>
    public string SocketPath { get; }

    /// <summary>The path of one of mosquitto's programs.</summary>
    public static string Find(string program) =>
        new[] { "/usr/sbin/", "/usr/bin/", "/usr/local/sbin/", "/usr/local/bin/" }.Select(d => d + program).FirstOrDefault(File.Exists)
        ?? throw new InvalidOperationException($"{program} is not installed; run scripts/setup.sh, which installs what the tests need.");

    /// <summary>Starts one of mosquitto's clients against this broker.</summary>
    public Process StartClient(string program, params string[] args) => Process.Start(
        new ProcessStartInfo(Find(program), ["-h", "127.0.0.1", "-p", $"{Port}", .. args])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        })!;

    /// <summary>Completes when the client has subscribed, which a client whose output is a pipe does not tell in time.</summary>
    public async Task UntilSubscribedAsync(string clientId, TimeSpan deadline)
    {
        long start = Stopwatch.GetTimestamp();
        while (true)
        {
            lock (_log)
            {
                if (_log.ToString().Contains($": {clientId} ", StringComparison.Ordinal)) return;
                if (Stopwatch.GetElapsedTime(start) > deadline) throw new TimeoutException($"{clientId} has not subscribed: {_log}");
            }

            await Task.Yield();
        }
    }

    /// <summary>Ends the broker without giving it time, as a crash would.</summary>
    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
        _port.Dispose();
        _webSocketPort.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    private void WaitUntilListening()
    {
        long start = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                foreach (int port in new int[] { _port, _webSocketPort })
                {
                    using var probe = new TcpClient();
                    probe.Connect(IPAddress.Loopback, port);
                }

                if (File.Exists(SocketPath)) return;
            }
            catch (SocketException)
            {
                Thread.Yield();
            }

            lock (_log)
            {
                if (_process.HasExited || Stopwatch.GetElapsedTime(start) > Deadline.Timeout)
                {
                    throw new InvalidOperationException($"mosquitto did not start: {_log}");
                }
            }
        }
    }
}
