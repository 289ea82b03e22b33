using System.Diagnostics;
using EdgeBroker.Testing.Published;

namespace EdgeBroker.Interop.Tests;

/// <summary>Finds the foreign clients, and says what to do where one is missing.</summary>
internal static class Installed
{
    private static readonly Lazy<Task<string>> CompiledC = new(CompileAsync);

    public static ProcessStartInfo PahoPython()
    {
        // Debian's package serves Debian's Python, whichever other is first on the PATH.
        RequireFile("/usr/bin/python3");
        RequireFile("/usr/lib/python3/dist-packages/paho/mqtt/client.py");
        return new ProcessStartInfo("/usr/bin/python3", [Source("python", "client.py")]);
    }

    public static ProcessStartInfo MqttJs()
    {
        RequireProgram("node");
        RequireFile(Source("mqttjs", "node_modules", "mqtt", "package.json"));
        return new ProcessStartInfo("node", [Source("mqttjs", "client.js")]);
    }

    public static ProcessStartInfo CoapJs(IEnumerable<string> arguments)
    {
        RequireProgram("node");
        RequireFile(Source("coapjs", "node_modules", "coap", "package.json"));
        return new ProcessStartInfo("node", [Source("coapjs", "client.js"), .. arguments]);
    }

    public static async Task<ProcessStartInfo> PahoCAsync() => new(await CompiledC.Value);

    public static string Mosquitto(string program)
    {
        RequireProgram(program);
        return program;
    }

    /// <summary>libcoap's client as Debian builds it: notls, openssl or gnutls.</summary>
    public static string CoapClient(string library = "notls")
    {
        RequireProgram("coap-client-" + library);
        return "coap-client-" + library;
    }

    /// <summary>Debian keeps the broker where only root's PATH looks.</summary>
    public static string MosquittoBroker()
    {
        const string path = "/usr/sbin/mosquitto";
        RequireFile(path);
        return path;
    }

    private static string Source(params string[] path) =>
        Path.Combine([RepositoryRoot.Find(), "tests", "EdgeBroker.Interop.Tests", "Clients", .. path]);

    private static async Task<string> CompileAsync()
    {
        RequireProgram("gcc");
        RequireFile("/usr/include/MQTTAsync.h");
        string binary = Path.Combine(AppContext.BaseDirectory, "paho-c-client");
        using ChildProcess gcc = ChildProcess.Program(
            "gcc", "-std=gnu17", "-Wall", "-Wextra", "-Werror", "-O1", "-o", binary, Source("c", "client.c"), "-lpaho-mqtt3a", "-lpthread");
        Assert.True(await gcc.ExitAsync(TimeSpan.FromMinutes(3)) == 0, gcc.Said);
        return binary;
    }

    private static void RequireProgram(string name)
    {
        string[] folders = Environment.GetEnvironmentVariable("PATH")?.Split(':') ?? [];
        Assert.True(folders.Any(folder => File.Exists(Path.Combine(folder, name))), $"{name} is not installed: run scripts/setup.sh");
    }

    private static void RequireFile(string path) => Assert.True(File.Exists(path), $"{path} is not installed: run scripts/setup.sh");
}
