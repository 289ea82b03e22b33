using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using EdgeBroker.Testing.Published;

namespace EdgeBroker.AotSmoke.Tests;

/// <summary>Passwords, tokens and rules in the published executable, where nothing is left of what only reflection reaches.</summary>
public sealed class UsersTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("edgebroker-").FullName;

    public static TheoryData<string> Rids => new(PublishedBinary.Rids);

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Theory]
    [MemberData(nameof(Rids))]
    public async Task Users_tokens_and_rules_work(string rid)
    {
        using RSA rsa = RSA.Create(2048);
        await File.WriteAllTextAsync(Path.Combine(_directory, "token.pub"), rsa.ExportSubjectPublicKeyInfoPem());
        await File.WriteAllTextAsync(Path.Combine(_directory, "broker.toml"), """
            [auth]
            password_file = "users"
            [limits]
            # Emulated, a hash that is meant to be slow takes longer than any client should wait.
            connect_timeout = "2m"
            [auth.jwt]
            key = { file = "token.pub" }
            audience = "edgebroker"
            acl_claim = "acl"
            [[listener]]
            protocol = "mqtt"
            address = "127.0.0.1:0"
            allow_anonymous = false
            [[acl]]
            user = "bcrypt"
            allow = ["publish"]
            topics = ["smoke/%u"]
            [[acl]]
            user = "other"
            allow = ["publish"]
            topics = ["smoke/%u"]
            [[acl]]
            user = "scram"
            allow = ["publish"]
            topics = ["smoke/%u"]
            """);
        await AddAsync(rid, "bcrypt", "--cost", "4");
        await AddAsync(rid, "other", "--cost", "5");
        await AddAsync(rid, "scram", "--scram", "--iterations", "4096");
        Assert.Equal(1, await ExitAsync(rid, "acl", "test", "-c", "broker.toml", "--user", "other", "publish", "smoke/bcrypt"));
        using ChildProcess broker = PublishedBinary.Of(rid).Start(_directory, "-c", "broker.toml");
        int port = await PublishedBroker.PortOfAsync(broker);
        string token = Token(rsa, "edgebroker");
        foreach ((string user, string password, string topic, bool comesIn) in new[]
        {
            ("bcrypt", "geheim", "smoke/bcrypt", true), ("other", "geheim", "smoke/other", true), ("other", "falsch", "smoke/other", false),
            ("other", "geheim", "smoke/bcrypt", false), ("scram", "geheim", "smoke/scram", true),
            ("anyone", token, "smoke/token", true), ("anyone", token, "smoke/other", false), ("anyone", Token(rsa, "shop"), "smoke/token", false),
        })
        {
            using ChildProcess publisher = ChildProcess.Program(
                "mosquitto_pub", "-h", "127.0.0.1", "-p", port.ToString(CultureInfo.InvariantCulture), "-V", "5", "-u", user, "-P", password, "-q", "1", "-t",
                topic, "-m", "x");
            int exit = await publisher.ExitAsync();
            // A publish that is denied is said on stderr and still leaves with 0.
            bool succeeded = exit == 0 && !publisher.Said.Contains("Not authorized", StringComparison.OrdinalIgnoreCase);
            Assert.True(succeeded == comesIn, $"{user} to {topic}: {publisher.Said}\n{broker.Said}");
        }

        var logins = new[]
        {
            ("scram-sha-256", "geheim", 0), ("scram-sha-256", "falsch", 1), ("jwt", Token(rsa, "edgebroker"), 0), ("jwt", Token(rsa, "shop"), 1),
        };
        foreach ((string method, string password, int expected) in logins)
        {
            string topic = method == "jwt" ? "smoke/token" : "smoke/scram";
            await File.WriteAllTextAsync(Path.Combine(_directory, "password"), password + "\n");
            using ChildProcess pub = PublishedBinary.Of(rid).Start(
                _directory, "pub", "-h", "127.0.0.1", "-p", port.ToString(CultureInfo.InvariantCulture), "--auth-method", method, "-u", "scram", "--pw-file",
                "password", "-q", "1", "-t", topic, "-m", "x");
            Assert.True(await pub.ExitAsync() == expected, $"{method}: {pub.Said}\n{broker.Said}");
        }

        await broker.LineAsync(line => line.Contains("wrong password for user \"other\"", StringComparison.Ordinal));
        await broker.LineAsync(line => line.Contains("the token is for another audience than \"edgebroker\"", StringComparison.Ordinal));
        Assert.DoesNotContain(token[..20], broker.Said, StringComparison.Ordinal);
    }

    private async Task AddAsync(string rid, string user, params string[] kind)
    {
        using ChildProcess add = PublishedBinary.Of(rid).Start(_directory, keepsInput: true, ["passwd", "add", "--stdin", .. kind, "users", user]);
        add.Say("geheim");
        Assert.True(await add.ExitAsync() == 0, add.Said);
    }

    private async Task<int> ExitAsync(string rid, params string[] arguments)
    {
        using ChildProcess process = PublishedBinary.Of(rid).Start(_directory, arguments);
        return await process.ExitAsync();
    }

    private static string Token(RSA rsa, string audience)
    {
        string payload = $$"""{"sub":"token","aud":"{{audience}}","exp":4000000000,"acl":[{"allow":["publish"],"topics":["smoke/%u"]}]}""";
        string signed = Base64Url.EncodeToString("""{"alg":"RS256"}"""u8) + "." + Base64Url.EncodeToString(Encoding.UTF8.GetBytes(payload));
        return signed + "." + Base64Url.EncodeToString(rsa.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));
    }
}
