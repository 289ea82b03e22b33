using System.Text;
using EdgeBroker.Configuration;
using EdgeBroker.Core.Security;
using EdgeBroker.Protocol;
using EdgeBroker.Verbs;

namespace EdgeBroker.Access;

/// <summary><c>edgebroker acl ...</c>: what the rules of a configuration say to one client, and rules made of mosquitto's.</summary>
internal static class AclCommand
{
    public const string Usage = """
        usage: edgebroker acl test [-c FILE] [--user U] [--client C] [--listener L]
                                   [--qos N] [--retain] publish|subscribe TOPIC
               edgebroker acl import FILE

          test     says whether the client may, and which rule decides: exit 0 or 1
          import   prints the [[acl]] rules that do what mosquitto's acl_file FILE does

          -c, --config FILE   the configuration; default: the embedded one
          --user U            the user; without it an anonymous client
          --client C          the client id
          --listener L        the address of the listener, as configured
          --qos N, --retain   of the publish to try; default 0, not retained
        """;

    public static int Run(string[] args, Surroundings world)
    {
        switch (args)
        {
            case ["test", .. string[] rest]:
                return VerbArguments.Read(rest, ["--retain"], ["-c", "--config", "--user", "--client", "--listener", "--qos"], out string problem) is { } read
                    ? Test(read, world)
                    : CommandLine.Misused(problem, Usage, world);
            case ["import", string file] when !file.StartsWith('-'):
                return Import(file, world);
            default:
                return CommandLine.Misused(args is ["import", ..] ? "acl import takes a file" : "acl needs to know what to do: test or import", Usage, world);
        }
    }

    private static int Test(VerbArguments read, Surroundings world)
    {
        if (read.Rest is not [("publish" or "subscribe") and string action, string topic])
        {
            return CommandLine.Misused("acl test takes publish or subscribe, and a topic", Usage, world);
        }

        byte[] bytes = Encoding.UTF8.GetBytes(topic);
        if (!Utf8Text.IsValid(bytes) || !(action == "publish" ? TopicName.IsValid(bytes) : TopicFilter.IsValid(bytes)))
        {
            return CommandLine.Misused($"\"{Printable.Escape(topic)}\" is not a topic {(action == "publish" ? "name" : "filter")}", Usage, world);
        }

        if ((read["--qos"] ?? "0") is not (['0' or '1' or '2'] and string qos)) return CommandLine.Misused("--qos needs 0, 1 or 2", Usage, world);
        BrokerConfiguration? configuration = new ConfigurationLoader(world.Environment, world.WorkingDirectory).Load(read["-c"] ?? read["--config"], out string[] errors);
        if (configuration is null)
        {
            foreach (string error in errors) world.Error.WriteLine(error);
            return ExitCode.Configuration;
        }

        var subject = new AclSubject(read["--user"], read["--client"] ?? "", read["--listener"] ?? "");
        AccessVerdict verdict = Judge(configuration.Auth.Rules.PermissionsFor(subject), action, bytes, (QoS)(qos[0] - '0'), read.Has("--retain"));
        string limit = verdict.IsAllowed && verdict.MaximumQoS < QoS.ExactlyOnce ? $", at most at QoS {(int)verdict.MaximumQoS}" : "";
        world.Out.WriteLine((verdict.IsAllowed ? "allowed: " : "denied: ") + Printable.Escape(verdict.Cause) + limit);
        if (subject.UserName is { } user && configuration.Auth is { Tokens: null } auth && auth.Users?.Find(user) is null)
        {
            world.Error.WriteLine($"note: {Printable.Escape(user)} is not in the password file, and so cannot log in");
        }

        return verdict.IsAllowed ? ExitCode.Success : ExitCode.Failed;
    }

    private static AccessVerdict Judge(Permissions permissions, string action, byte[] topic, QoS qos, bool retain)
    {
        if (action == "publish")
        {
            return topic.AsSpan().StartsWith("$SYS/"u8)
                ? new AccessVerdict(false, "only the broker publishes under $SYS")
                : permissions.JudgePublish(topic, qos, retain);
        }

        return permissions.JudgeSubscribe(TopicFilter.TrySplitShared(topic, out _, out ReadOnlySpan<byte> filter) ? filter : topic);
    }

    private static int Import(string file, Surroundings world)
    {
        string text;
        try
        {
            text = File.ReadAllText(Path.GetFullPath(file, world.WorkingDirectory));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            world.Error.WriteLine($"edgebroker: {Printable.Escape(e.Message)}");
            return ExitCode.Failed;
        }

        string toml = MosquittoAcl.ToToml(text, file, out List<string> problems);
        foreach (string problem in problems) world.Error.WriteLine(Printable.Escape(problem));
        if (problems.Count > 0) return ExitCode.Failed;
        world.Out.Write(toml);
        return ExitCode.Success;
    }
}
