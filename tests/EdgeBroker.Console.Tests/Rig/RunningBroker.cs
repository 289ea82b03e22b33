using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using EdgeBroker.Client;
using EdgeBroker.Protocol;
using EdgeBroker.Testing.Published;

namespace EdgeBroker.Console.Tests.Rig;

/// <summary>
/// The broker as this build made it, in a process and with a folder of its own: plain MQTT and HTTP on free ports of the loopback, and unless said otherwise
/// the user <c>anna</c> with the password <c>right</c> in the group <c>admin</c>.
/// </summary>
internal sealed partial class RunningBroker : IAsyncDisposable
{
    private readonly string _directory;
    private readonly ChildProcess _process;
    private readonly List<MqttClient> _clients = [];

    private RunningBroker(string directory, ChildProcess process, int mqttPort, int httpPort)
    {
        _directory = directory;
        _process = process;
        MqttPort = mqttPort;
        Site = new Uri($"http://127.0.0.1:{httpPort}/");
    }

    /// <summary>The console.</summary>
    public Uri Site { get; }

    /// <summary>Where clients connect.</summary>
    public int MqttPort { get; }

    /// <summary>Its process.</summary>
    public ChildProcess Process => _process;

    /// <summary>Its configuration file.</summary>
    public string File => Path.Combine(_directory, "broker.toml");

    /// <param name="hasUsers">Whether anybody can log in.</param>
    /// <param name="more">Tables besides.</param>
    public static async Task<RunningBroker> StartAsync(bool hasUsers = true, string more = "")
    {
        string directory = Directory.CreateTempSubdirectory("edgebroker-console-").FullName;
        ChildProcess? process = null;
        try
        {
            if (hasUsers) await AddUserAsync(directory, "anna", "right");
            string users = !hasUsers ? "" : """
                [auth]
                password_file = "users.passwd"
                [[group]]
                name = "admin"
                users = ["anna"]
                """;
            await System.IO.File.WriteAllTextAsync(Path.Combine(directory, "broker.toml"), $"""
                [node]
                data_dir = "data"
                [log]
                format = "text"
                [[listener]]
                protocol = "mqtt"
                address = "127.0.0.1:0"
                allow_anonymous = true
                [[listener]]
                protocol = "http"
                address = "127.0.0.1:0"
                {users}
                {more}
                """);
            process = Start(directory, keepsInput: false, "-c", "broker.toml");
            int mqtt = PortOf(await process.LineAsync(line => Listening("MQTT").IsMatch(line)));
            int http = PortOf(await process.LineAsync(line => Listening("HTTP").IsMatch(line)));
            return new RunningBroker(directory, process, mqtt, http);
        }
        catch
        {
            process?.Dispose();
            Directory.Delete(directory, recursive: true);
            throw;
        }
    }

    /// <summary>Connects a client, and answers when it is in.</summary>
    public async Task<MqttClient> ConnectAsync(string clientId)
    {
        var client = new MqttClient(new MqttClientOptions { Transport = new TcpTransport("127.0.0.1", MqttPort), ClientId = clientId });
        _clients.Add(client);
        await client.ConnectAsync();
        return client;
    }

    /// <summary>Publishes, and answers when the broker has it.</summary>
    public async Task PublishAsync(string topic, string payload, bool retain = false)
    {
        MqttClient client = await ConnectAsync("");
        await client.PublishAsync(new PublishMessage(topic, System.Text.Encoding.UTF8.GetBytes(payload)) { QoS = QoS.AtLeastOnce, Retain = retain });
        await client.DisconnectAsync();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (MqttClient client in _clients) await client.DisposeAsync();
        _process.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    /// <summary>Has it read its files again.</summary>
    public Task ReloadAsync() => RunAsync("kill", "-HUP", _process.Id.ToString(CultureInfo.InvariantCulture));

    private static async Task RunAsync(string program, params string[] arguments)
    {
        using ChildProcess child = ChildProcess.Program(program, arguments);
        Assert.True(await child.ExitAsync() == 0, child.Said);
    }

    private static async Task AddUserAsync(string directory, string user, string password)
    {
        using ChildProcess add = Start(directory, keepsInput: true, "passwd", "add", "--stdin", "users.passwd", user);
        add.Say(password);
        add.EndInput();
        Assert.True(await add.ExitAsync() == 0, add.Said);
    }

    // The executable's assembly lies beside this one, with the libraries of both.
    private static ChildProcess Start(string directory, bool keepsInput, params string[] arguments)
    {
        string here = AppContext.BaseDirectory;
        string name = typeof(RunningBroker).Assembly.GetName().Name!;
        var start = new ProcessStartInfo("dotnet",
        [
            "exec", "--runtimeconfig", Path.Combine(here, $"{name}.runtimeconfig.json"), "--depsfile", Path.Combine(here, $"{name}.deps.json"),
            Path.Combine(here, "edgebroker.dll"), .. arguments,
        ])
        { WorkingDirectory = directory };
        start.Environment.Remove("JOURNAL_STREAM");
        start.Environment.Remove("STATE_DIRECTORY");
        return new ChildProcess(start, keepsInput);
    }

    private static int PortOf(string line) => int.Parse(Port().Match(line).Groups[1].ValueSpan, CultureInfo.InvariantCulture);

    private static Regex Listening(string protocol) => new($@"\blistening for {protocol} on 127\.0\.0\.1:[1-9]", RegexOptions.IgnoreCase);

    [GeneratedRegex(@" on 127\.0\.0\.1:([1-9][0-9]*)")]
    private static partial Regex Port();
}
