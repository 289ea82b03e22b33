using System.Globalization;
using System.Net;
using System.Net.Sockets;
using EdgeBroker.Cli.Files;
using EdgeBroker.Cli.Options;
using EdgeBroker.Coap.Client;
using EdgeBroker.Coap.Codec;
using EdgeBroker.Transport.Tls;

namespace EdgeBroker.Verbs;

/// <summary><c>edgebroker coap ...</c>: the technician's CoAP client.</summary>
internal static partial class CoapCommand
{
    private const int PlainPort = 5_683;
    private const int SecurePort = 5_684;

    private static readonly CommandOption Payload = CommandOption.Text("--payload", 'm', "TEXT", "the body");
    private static readonly CommandOption PayloadFile = CommandOption.Path("--file", 'f', "FILE", "the body is what the file holds; - is stdin");
    private static readonly CommandOption Format =
        CommandOption.Text("--format", 't', "FORMAT", "what the body is: a number, or text/plain, application/json ...");
    private static readonly CommandOption Accept =
        CommandOption.Text("--accept", 'A', "FORMAT", "what is taken: a number, or text/plain, application/json ...");
    private static readonly CommandOption Non = CommandOption.Flag("--non", 'N', "ask by NON: sent once, acknowledged by nobody");
    private static readonly CommandOption BlockSize = CommandOption.Choice(
        "--block", 'b', "BYTES", ["16", "32", "64", "128", "256", "512", "1024"], "bytes of a block (512)");

    private static readonly CommandOption Token = CommandOption.Text("--token", 'T', "HEX", "name the request so: up to 8 bytes; else one is made");
    private static readonly CommandOption Keys = CommandOption.Path("--psk-file", null, "FILE", "coaps: the file of keys (see psk) that has the client's");
    private static readonly CommandOption Identity = CommandOption.Text("--identity", 'u', "NAME", "coaps: whose key; else the only one of the file");
    private static readonly CommandOption Wait = CommandOption.Seconds("--wait", 'W', "SECONDS", 0.1m, 3_600m, "how long an answer may take (30)");
    private static readonly CommandOption Count = CommandOption.Number("--count", 'C', "N", 1, 1_000_000_000, "end after so many values");
    private static readonly CommandOption Verbose = CommandOption.Flag("--verbose", 'v', "print each message to stderr, as it goes (>) and comes (<)");

    private static readonly CommandOption[] Common = [Accept, Non, BlockSize, Token, Keys, Identity, Wait, Verbose];
    private static readonly CommandOption[] Body = [Payload, PayloadFile, Format];

    public static Command Command { get; } = new()
    {
        Name = "coap",
        Summary = "ask a CoAP server: get, put, post, delete, observe",
        Remarks = """
            Examples
              edgebroker coap put coap://127.0.0.1/ps/plant/press7/temperature -m 71.5 -t text/plain
              edgebroker coap observe 'coap://127.0.0.1/ps/plant/press7/temperature' -v
              edgebroker coap get coaps://gw.plant.example/ps/plant/press7/temperature --psk-file sensors.psk -u press7
            """,
        Commands =
        [
            Verb("get", "print a value", CoapCode.Get), Verb("put", "put a value, which is kept", CoapCode.Put, Body),
            Verb("post", "post an event, which is not kept", CoapCode.Post, Body), Verb("delete", "delete a value", CoapCode.Delete),
            Verb("observe", "print each value, a line each, until it is ended", null, [Count]), Bench,
        ],
    };

    private static Command Verb(string word, string summary, CoapCode? method, params CommandOption[] options) => new()
    {
        Name = "coap " + word,
        Summary = summary,
        Operands = [new Operand("URI")],
        Options = [.. options, .. Common],
        NeedsOpenSsl = true,
        ExitCodes = "0 done, 1 failed or refused",
        Run = (args, context) => Run(args, context, method),
    };

    private static int Run(Arguments args, CommandContext context, CoapCode? method)
    {
        using var stop = new StopSignals(context.Stop);
        CoapTarget target = CoapTarget.Parse(args.Operands[0]) ?? throw new UsageException(
            $"{args.Operands[0]}: expected coap://HOST[:PORT]/PATH[?QUERY], or coaps://");
        CoapDemand demand = Demand(args, context, method ?? CoapCode.Get, target);
        TimeSpan limit = args.Seconds(Wait) ?? TimeSpan.FromSeconds(30);
        PskEntry? key = Key(args, context, target);
        try
        {
            using ClientLink link = Open(target, key, limit);
            Action<string>? trace = args.Has(Verbose) ? context.Error.WriteLine : null;
            var requester = new CoapRequester(link, limit, context.Time, trace, stop.Token);
            using Stream output = context.OpenOutput();
            if (method is not null) return Show(requester.Ask(demand), output, isLine: context.OutIsTerminal);
            long left = args.Number(Count) ?? long.MaxValue;
            CoapReply last = requester.Observe(demand, reply =>
            {
                Show(reply, output, isLine: true);
                return --left > 0;
            });
            if (!last.Code.IsSuccess) return Show(last, output, isLine: true);
            if (last.Observe is not null || left <= 0) return ExitCode.Success;
            throw new CommandException("the server lets nobody observe this, or has too many observers");
        }
        catch (CoapClientException failure)
        {
            throw new CommandException(failure.Message, failure);
        }
        catch (OperationCanceledException)
        {
            return ExitCode.Failed;
        }
    }

    private static CoapDemand Demand(Arguments args, CommandContext context, CoapCode method, CoapTarget target)
    {
        // Only these two have the options of a body.
        bool hasBody = method == CoapCode.Put || method == CoapCode.Post;
        if (hasBody && args.Has(Payload) && args.Has(PayloadFile))
        {
            throw new UsageException("--payload and --file are two bodies; leave out one of the two");
        }

        return new CoapDemand(method, target.Path)
        {
            Query = target.Query,
            Payload = hasBody ? Bytes(args, context) : [],
            ContentFormat = hasBody ? FormatOf(args, Format) : null,
            Accept = FormatOf(args, Accept),
            IsConfirmable = !args.Has(Non),
            BlockSize = args.Text(BlockSize) is { } size ? int.Parse(size, CultureInfo.InvariantCulture) : null,
            Token = TokenOf(args),
        };
    }

    private static byte[]? TokenOf(Arguments args)
    {
        if (args.Text(Token) is not { } hex) return null;
        bool isHex = hex.Length is > 0 and <= 16 && hex.Length % 2 == 0 && hex.All(char.IsAsciiHexDigit);
        return isHex ? Convert.FromHexString(hex) : throw args.Wrong(Token, "give 1 to 8 bytes, 2 to 16 hexadecimal digits");
    }

    private static byte[] Bytes(Arguments args, CommandContext context)
    {
        if (args.Text(Payload) is { } text) return System.Text.Encoding.UTF8.GetBytes(text);
        if (args.Text(PayloadFile) is not { } file) return [];
        try
        {
            if (file != "-") return File.ReadAllBytes(context.FullPath(file));
            using var all = new MemoryStream();
            context.OpenInput().CopyTo(all);
            return all.ToArray();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandException($"{file}: {FileFailure.Explain(e, context.FullPath(file))}", e);
        }
    }

    private static ushort? FormatOf(Arguments args, CommandOption option)
    {
        if (args.Text(option) is not { } text) return null;
        if (ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ushort number)) return number;
        return ContentFormats.FormatOf(text) ?? ContentFormats.FormatOf(text + ";charset=utf-8")
            ?? throw args.Wrong(option, "give a number, or a media type that has one, as text/plain or application/json");
    }

    private static PskEntry? Key(Arguments args, CommandContext context, CoapTarget target)
    {
        if (!target.IsSecure)
        {
            if (args.Has(Keys) || args.Has(Identity)) throw new UsageException("keys are for coaps://");
            return null;
        }

        if (args.Text(Keys) is not { } path)
        {
            throw new UsageException("coaps:// needs --psk-file, the file that has the client's key; \"edgebroker psk add\" makes one");
        }

        PskFile keys;
        try
        {
            keys = PskFile.Load(context.FullPath(path));
        }
        catch (CertificateFileException exception)
        {
            throw new CommandException($"{path}: {exception.Message}", exception);
        }

        if (args.Text(Identity) is { } name) return keys.Find(name) ?? throw new CommandException($"there is no identity \"{name}\" in {path}");
        return keys.Entries is [var only] ? only : throw new UsageException($"{path} has {keys.Entries.Count} identities; say which with --identity");
    }

    private static ClientLink Open(CoapTarget target, PskEntry? key, TimeSpan limit)
    {
        IPEndPoint server = Resolve(target);
        return key is null ? ClientLink.OverUdp(server) : ClientLink.OverDtls(server, key.Identity, key.Key, limit);
    }

    private static IPEndPoint Resolve(CoapTarget target)
    {
        try
        {
            IPAddress address = IPAddress.TryParse(target.Host.Trim('[', ']'), out IPAddress? literal) ? literal : Dns.GetHostAddresses(target.Host)[0];
            return new IPEndPoint(address, target.Port ?? (target.IsSecure ? SecurePort : PlainPort));
        }
        catch (SocketException exception)
        {
            throw new CoapClientException($"{target.Host}: {exception.Message}", exception);
        }
    }

    private static int Show(CoapReply reply, Stream output, bool isLine)
    {
        if (!reply.Code.IsSuccess)
        {
            string why = Printable.Escape(System.Text.Encoding.UTF8.GetString(reply.Payload));
            throw new CommandException(why.Length == 0 ? reply.Code.ToString() : $"{reply.Code} {why}");
        }

        output.Write(reply.Payload);
        if (isLine && reply.Payload.Length > 0) output.Write("\n"u8);
        output.Flush();
        return ExitCode.Success;
    }
}
