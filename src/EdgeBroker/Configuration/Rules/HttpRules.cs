using System.Security.Cryptography;
using System.Text;
using EdgeBroker.Configuration.Schema;
using EdgeBroker.Core.Security;
using EdgeBroker.Http.Access;

namespace EdgeBroker.Configuration.Rules;

/// <summary>What <c>[http]</c> means, and whether its tokens can be used. Tokens are forgotten as soon as their digests are made.</summary>
internal sealed class HttpRules(Func<string, string?> environment, string baseDirectory, ConfigurationErrors errors, List<string> warnings)
{
    private const int FewestBytes = 16;
    private const int MostBytes = 4096;

    public HttpOptions Apply(WrittenTables written, AuthOptions auth, string nodeName)
    {
        var files = new SecretFiles(baseDirectory, environment, errors, warnings);
        var tokens = new List<AccessToken>();
        HttpDraft http = written.Http;
        if (http.AdminToken is { } admin) Add("admin-token", HttpRole.Admin, admin, "admin_token");
        foreach (HttpTokenDraft draft in http.Tokens)
        {
            if (tokens.Exists(token => token.Name == draft.Name))
            {
                errors.Add(draft.Table.Position, $"a token named \"{Printable.Escape(draft.Name)}\" is there already");
            }

            if (draft.Token is { } source) Add(draft.Name, draft.Role, source, "token");
        }

        foreach (GroupDraft group in written.Groups.Where(group => group.Name is "viewer" or "operator" or "admin"))
        {
            if (group.Users.Any(user => Glob.IsWild(user)))
            {
                warnings.Add($"{group.Table.Position}: the group \"{group.Name}\" gives users a role in the administration; it names them with a \"*\"");
            }
        }

        return new HttpOptions
        {
            NodeName = nodeName,
            AllowedHosts = [.. http.AllowedHosts.Select(host => host.TrimEnd('.').ToLowerInvariant())],
            Tokens = tokens,
            Groups = [.. written.Groups.Select(group => new AclGroup(group.Name, group.Users))],
            Rules = auth.Rules,
        };

        void Add(string name, HttpRole role, SecretSource source, string key)
        {
            if (files.Read(source, key) is not { } bytes) return;
            byte[] token = Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(bytes).Trim());
            CryptographicOperations.ZeroMemory(bytes);
            if (token.Length is < FewestBytes or > MostBytes)
            {
                errors.Add(source.Position, $"\"{key}\": a token has {FewestBytes} to {MostBytes} characters, so that it cannot be guessed");
            }
            else if (token.Any(one => one is <= (byte)' ' or > (byte)'~'))
            {
                errors.Add(source.Position, $"\"{key}\": a token holds letters, digits and signs of ASCII, and no spaces");
            }
            else
            {
                tokens.Add(new AccessToken(name, role, SHA256.HashData(token)));
            }

            CryptographicOperations.ZeroMemory(token);
        }
    }
}
