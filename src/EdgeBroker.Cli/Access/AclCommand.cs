using System.Text;
using EdgeBroker.Cli.Files;
using EdgeBroker.Cli.Options;
using EdgeBroker.Core.Security;
using EdgeBroker.Protocol;

namespace EdgeBroker.Cli.Access;

/// <summary><c>edgebroker acl ...</c>: what the rules of a configuration say to one client, and rules made of mosquitto's.</summary>
public static class AclCommand
{
    private const string Publish = "publish";
    private const string Subscribe = "subscribe";

    private static readonly CommandOption User = CommandOption.Text("--user", null, "USER", "the user; without it an anonymous client");
    private static readonly CommandOption Client = CommandOption.Text("--client", null, "ID", "the client id");
    private static readonly CommandOption Listener = CommandOption.Text("--listener", null, "ADDRESS", "the address of the listener, as configured");
    private static readonly CommandOption Via = CommandOption.Choice(
        "--via", null, "KIND", [.. AccountKinds.All.Select(kind => kind.Word)], "what the user name was proved by (password)");

    private static readonly CommandOption Qos = CommandOption.Number("--qos", null, "N", 0, 2, "QoS of the publish (0)");
    private static readonly CommandOption Retain = CommandOption.Flag("--retain", null, "the publish is retained");

    public static Command Command { get; } = new()
    {
        Name = "acl",
        Summary = "try access rules, and take over mosquitto's",
        Commands =
        [
            new Command
            {
                Name = "acl test",
                Summary = "say whether a client may publish or subscribe, and which rule decides",
                Operands = [new Operand("publish|subscribe"), new Operand("TOPIC")],
                Options = [SharedOptions.Config, User, Client, Listener, Via, Qos, Retain, SharedOptions.Json],
                ExitCodes = "0 it may, 1 it may not",
                ReadsConfiguration = true,
                Run = Test,
            },
            new Command
            {
                Name = "acl import",
                Summary = "print the [[acl]] rules that do what mosquitto's acl_file FILE does",
                Operands = [new Operand("FILE")],
                Run = Import,
            },
        ],
    };

    private static int Test(Arguments args, CommandContext context)
    {
        (string action, string topic) = (args.Operands[0], args.Operands[1]);
        if (action is not (Publish or Subscribe)) throw new UsageException($"unexpected \"{action}\"; give {Publish} or {Subscribe}, and a topic");
        byte[] bytes = Encoding.UTF8.GetBytes(topic);
        if (!Utf8Text.IsValid(bytes) || !(action == Publish ? TopicName.IsValid(bytes) : TopicFilter.IsValid(bytes)))
        {
            throw new UsageException($"\"{topic}\" is not a topic {(action == Publish ? "name" : "filter")}");
        }

        BrokerSettings settings = SharedOptions.SettingsOf(args, context);
        if (args.Text(Listener) is { } address && settings.Listeners.Count > 0 && !settings.Listeners.Contains(address, StringComparer.Ordinal))
        {
            throw new CommandException($"no [[listener]] has the address \"{address}\"; there are {string.Join(", ", settings.Listeners)}");
        }

        AuthenticationMethod via = args.Text(User) is null ? AuthenticationMethod.Anonymous : AccountKinds.Find(args.Text(Via) ?? "password")!.Value;
        var subject = new AclSubject(args.Text(User), args.Text(Client) ?? "", args.Text(Listener) ?? "", via);
        AccessVerdict verdict = Judge(settings.Rules.PermissionsFor(subject), action, bytes, (QoS)(args.Number(Qos) ?? 0), args.Has(Retain));
        bool isUnknown = via == AuthenticationMethod.Password && subject.UserName is { } user && !settings.KnowsUser(user);
        if (args.Has(SharedOptions.Json))
        {
            context.WriteJson(new AclAnswer(verdict.IsAllowed, verdict.Cause, (int)verdict.MaximumQoS, !isUnknown), CommandJson.Default.AclAnswer);
        }
        else
        {
            Show(verdict, context);
        }

        foreach (AclRule rule in settings.Rules.Rules.Where(rule => IsOutByName(rule, subject)))
        {
            context.Error.WriteLine(
                $"note: the rule at {Printable.Escape(rule.Source)} allows nothing here: "
                    + "the name for its %u or %c has \"/\", \"+\" or \"#\" in it");
        }

        if (isUnknown) context.Error.WriteLine($"note: {Printable.Escape(subject.UserName!)} is not in the password file: it cannot log in with a password");
        return verdict.IsAllowed ? ExitCode.Success : ExitCode.Failed;
    }

    private static bool IsOutByName(AclRule rule, AclSubject subject) =>
        rule.Allows && $"{subject.UserName}{subject.ClientId}".AsSpan().ContainsAny('/', '+', '#')
        && Glob.Matches(rule.User, subject.UserName ?? "") && Glob.Matches(rule.Client, subject.ClientId)
        && rule.Topics.Any(topic => topic.UsesName && topic.FilterFor(subject, allows: true) is null);

    private static void Show(AccessVerdict verdict, CommandContext context)
    {
        string limit = verdict.IsAllowed && verdict.MaximumQoS < QoS.ExactlyOnce ? $", at most at QoS {(int)verdict.MaximumQoS}" : "";
        context.Out.WriteLine((verdict.IsAllowed ? "allowed: " : "denied: ") + Printable.Escape(verdict.Cause) + limit);
    }

    private static AccessVerdict Judge(Permissions permissions, string action, byte[] topic, QoS qos, bool retain)
    {
        if (action == Publish)
        {
            return topic.AsSpan().StartsWith("$SYS/"u8)
                ? new AccessVerdict(false, "only the broker publishes under $SYS")
                : permissions.JudgePublish(topic, qos, retain);
        }

        return permissions.JudgeSubscribe(TopicFilter.TrySplitShared(topic, out _, out ReadOnlySpan<byte> filter) ? filter : topic);
    }

    private static int Import(Arguments args, CommandContext context)
    {
        string file = args.Operands[0];
        string text;
        try
        {
            text = File.ReadAllText(context.FullPath(file));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandException($"{file}: {FileFailure.Explain(e, context.FullPath(file))}", e);
        }

        string toml = MosquittoAcl.ToToml(text, file, out List<string> problems, out List<string> warnings);
        foreach (string warning in warnings) context.Error.WriteLine("warning: " + Printable.Escape(warning));
        foreach (string problem in problems) context.Error.WriteLine(Printable.Escape(problem));
        if (problems.Count > 0) return ExitCode.Failed;
        context.Out.Write(toml);
        return ExitCode.Success;
    }
}
