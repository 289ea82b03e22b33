using System.Globalization;
using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using EdgeBroker.Fuzz.Codec;
using EdgeBroker.Transport.Proxies;

namespace EdgeBroker.Fuzz;

/// <summary>
/// The bytes as what a proxy sends first: accepted just where expressions written down from the protocol's text find a header, with the same address, and at
/// every cut of it not yet decided.
/// </summary>
internal static partial class ProxyHeaderTarget
{
    private const int LongestLine = 107;
    private const int LongestBlock = 2048;

    public static void Run(byte[] input)
    {
        ProxyHeaderStatus status = ProxyHeader.TryRead(input, out int length, out IPEndPoint? source, out string cause);
        if (status == ProxyHeaderStatus.Malformed != (cause.Length > 0))
        {
            throw new DisagreementException("Refused without a reason, or accepted with one", input);
        }

        (int Length, IPEndPoint? Source)? expected = input is [(byte)'P', ..] ? Line(Encoding.Latin1.GetString(input)) : Block(input);
        if (status == ProxyHeaderStatus.Complete != expected is not null)
        {
            throw new DisagreementException(expected is null ? "Only the parser accepts" : "Only the oracle accepts", input);
        }

        if (expected is { } header && (header.Length != length || !Equals(header.Source, source)))
        {
            throw new DisagreementException($"{length} bytes, {source} where the oracle reads {header.Length}, {header.Source}", input);
        }

        CheckCuts(input, status, length);
    }

    private static void CheckCuts(byte[] input, ProxyHeaderStatus status, int length)
    {
        ProxyHeaderStatus before = ProxyHeaderStatus.Incomplete;
        for (int cut = 0; cut < input.Length; cut++)
        {
            ProxyHeaderStatus now = ProxyHeader.TryRead(input.AsSpan(0, cut), out _, out _, out _);
            bool isDecided = before != ProxyHeaderStatus.Incomplete;
            if (isDecided && now != before) throw new DisagreementException($"{before} becomes {now} at {cut}", input);
            if (status == ProxyHeaderStatus.Complete && now != (cut < length ? ProxyHeaderStatus.Incomplete : ProxyHeaderStatus.Complete))
            {
                throw new DisagreementException($"{now} at {cut} of {length}", input);
            }

            before = now;
        }

        if (before != ProxyHeaderStatus.Incomplete && before != status) throw new DisagreementException($"{before} becomes {status} at the end", input);
        if (status == ProxyHeaderStatus.Incomplete && input.Length >= ProxyHeader.MaxBytes) throw new DisagreementException("Never enough", input);
    }

    private static (int Length, IPEndPoint? Source)? Line(string text)
    {
        int end = text.IndexOf("\r\n", StringComparison.Ordinal);
        if (end < 0 || end + 2 > LongestLine) return null;
        string line = text[..end];
        if (Unknown().IsMatch(line)) return (end + 2, null);
        Match match = Tcp().Match(line);
        if (!match.Success || !match.Groups.Cast<Group>().Skip(4).All(port => int.Parse(port.Value, CultureInfo.InvariantCulture) <= 65_535)) return null;
        Func<string, byte[]?> read = match.Groups[1].Value == "4" ? V4 : V6;
        if (read(match.Groups[2].Value) is not { } from || read(match.Groups[3].Value) is null) return null;
        return (end + 2, new IPEndPoint(new IPAddress(from), int.Parse(match.Groups[4].Value, CultureInfo.InvariantCulture)));
    }

    private static byte[]? V4(string text) => Quad().IsMatch(text) ? [.. text.Split('.').Select(part => byte.Parse(part, CultureInfo.InvariantCulture))] : null;

    // RFC 4291, 2.2: eight groups, or fewer and one "::" in place of the rest; the last two may be written as IPv4.
    private static byte[]? V6(string text)
    {
        int quad = text.LastIndexOf(':') + 1;
        if (text.Contains('.', StringComparison.Ordinal))
        {
            if (quad == 0 || V4(text[quad..]) is not { } v4) return null;
            text = text[..quad] + $"{v4[0]:x2}{v4[1]:x2}:{v4[2]:x2}{v4[3]:x2}";
        }

        string[] halves = text.Split("::");
        if (halves.Length > 2) return null;
        byte[][]? head = Groups(halves[0], mayBeEmpty: halves.Length == 2), tail = halves.Length == 2 ? Groups(halves[1], mayBeEmpty: true) : [];
        if (head is null || tail is null) return null;
        int missing = 8 - head.Length - tail.Length;
        if (halves.Length == 1 ? missing != 0 : missing < 1) return null;
        return [.. head.SelectMany(group => group), .. new byte[2 * missing], .. tail.SelectMany(group => group)];
    }

    private static byte[][]? Groups(string text, bool mayBeEmpty)
    {
        if (text.Length == 0) return mayBeEmpty ? [] : null;
        string[] groups = text.Split(':');
        return groups.All(group => HexGroup().IsMatch(group)) ? [.. groups.Select(group => Convert.FromHexString(group.PadLeft(4, '0')))] : null;
    }

    private static (int Length, IPEndPoint? Source)? Block(byte[] input)
    {
        if (input.Length < 16 || Convert.ToHexString(input, 0, 12) != "0D0A0D0A000D0A515549540A") return null;
        int block = (input[14] * 256) + input[15];
        if (block > LongestBlock || input.Length < 16 + block) return null;
        if (input[12] == 0x20 || (input[12] == 0x21 && input[13] == 0)) return (16 + block, null);
        int addresses = input[13] switch { 0x11 => 12, 0x21 => 36, 0x31 => 216, _ => int.MaxValue };
        if (input[12] != 0x21 || addresses > block) return null;
        int at = 16 + addresses;
        while (at < 16 + block)
        {
            if (at + 3 > 16 + block) return null;
            at += 3 + (input[at + 1] * 256) + input[at + 2];
        }

        if (at != 16 + block) return null;
        int size = addresses switch { 12 => 4, 36 => 16, _ => 0 };
        if (size == 0) return (16 + block, null);
        int port = 16 + (2 * size);
        return (16 + block, new IPEndPoint(new IPAddress(input[16..(16 + size)]), (input[port] * 256) + input[port + 1]));
    }

    [GeneratedRegex(@"\APROXY UNKNOWN(?: .*)?\z", RegexOptions.Singleline)]
    private static partial Regex Unknown();

    [GeneratedRegex(@"\APROXY TCP([46]) ([^ ]+) ([^ ]+) (0|[1-9][0-9]{0,4}) (0|[1-9][0-9]{0,4})\z")]
    private static partial Regex Tcp();

    [GeneratedRegex(@"\A(?:(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(?:\.(?!\z)|\z)){4}\z")]
    private static partial Regex Quad();

    [GeneratedRegex(@"\A[0-9a-fA-F]{1,4}\z")]
    private static partial Regex HexGroup();
}
