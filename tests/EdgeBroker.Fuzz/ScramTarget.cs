using System.Text;
using System.Text.RegularExpressions;
using EdgeBroker.Fuzz.Codec;
using EdgeBroker.Protocol.Scram;

namespace EdgeBroker.Fuzz;

/// <summary>The bytes as messages of SCRAM-SHA-256.</summary>
internal static partial class ScramTarget
{
    private const string Right = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";

    private static readonly ScramServer Server = new(
        new ScramClientFirst("user", "rOprNGfwEbeRWgbNEkqO", "n,,", "n=user,r=rOprNGfwEbeRWgbNEkqO"),
        ScramCredentials.Make("pencil", Convert.FromBase64String("W22ZaJ0SNY7soEsUEjb6gQ=="), 4096),
        "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0");

    /// <summary>The first message: what fits the grammar is read, and what is read fits it.</summary>
    public static void RunFirst(byte[] input)
    {
        ScramOutcome outcome = ScramClientFirst.TryParse(input, out ScramClientFirst first);
        if ((outcome == ScramOutcome.Right) != first is not null) throw new DisagreementException("A message without an outcome", input);
        bool isText = input.Length <= 4096 && System.Text.Unicode.Utf8.IsValid(input);
        string text = isText ? Encoding.UTF8.GetString(input) : "";
        Match match = Grammar().Match(text);
        if (match.Success == (outcome == ScramOutcome.Malformed) && !text.StartsWith("p=", StringComparison.Ordinal) && !Mandatory().IsMatch(text))
        {
            throw new DisagreementException($"{outcome} where the grammar says {match.Success}", input);
        }

        if (first is null) return;
        string name = match.Groups["user"].Value.Replace("=2C", ",", StringComparison.Ordinal).Replace("=3D", "=", StringComparison.Ordinal);
        bool isSame = first.Header + first.Bare == text && first.Nonce == match.Groups["nonce"].Value && (first.UserName == name || !Ascii().IsMatch(name));
        if (!isSame) throw new DisagreementException($"Read as {first}", input);
    }

    /// <summary>The second message: only the right one is right.</summary>
    public static void RunFinal(byte[] input)
    {
        bool isRight = Server.Finish(input, out byte[] last) == ScramOutcome.Right;
        if (isRight != Encoding.UTF8.GetString(input).Equals(Right, StringComparison.Ordinal) || isRight != last.Length > 0)
        {
            throw new DisagreementException("A wrong proof is taken, or a right one is not", input);
        }
    }

    [GeneratedRegex(@"^(n|y),(a=(=2C|=3D|[^=,\0])+)?,n=(?<user>(=2C|=3D|[^=,\0])+),r=(?<nonce>[!-+\x2D-~]{1,256})(,[a-ln-zA-Z]=[^,\0]+)*\z")]
    private static partial Regex Grammar();

    [GeneratedRegex(@"^(n|y),(a=(=2C|=3D|[^=,\0])+)?,m=")]
    private static partial Regex Mandatory();

    [GeneratedRegex(@"^[ -~]*\z")]
    private static partial Regex Ascii();
}
