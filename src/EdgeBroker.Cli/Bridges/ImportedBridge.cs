using System.Globalization;
using System.Text;

namespace EdgeBroker.Cli.Bridges;

/// <summary>One <c>connection</c> of a mosquitto.conf.</summary>
/// <param name="name">Its name.</param>
internal sealed class ImportedBridge(string name)
{
    // What has no counterpart, and why it need not have one.
    private static readonly Dictionary<string, string> NotCarriedOver = new(StringComparer.Ordinal)
    {
        ["local_clientid"] = "the bridge's session here is $bridge/ and its name",
        ["local_username"] = "a bridge needs no login on its own broker",
        ["local_password"] = "a bridge needs no login on its own broker",
        ["local_cleansession"] = "what waits for the other side is always kept; see on_full and max_age",
        ["bridge_tcp_keepalive"] = "a dead connection is found by keep_alive and stall_timeout",
        ["bridge_tcp_user_timeout"] = "a dead connection is found by keep_alive and stall_timeout",
        ["bridge_max_topic_alias"] = "topics go whole, in both directions",
        ["bridge_receive_maximum"] = "the other side is told 100",
        ["bridge_attempt_unsubscribe"] = "what is not in a route is not subscribed to; clean_start rids the other side of old subscriptions",
        ["bridge_reload_type"] = "a reload reconnects a bridge whose table has changed, and no other one",
    };

    // What makes a bridge speak TLS at all.
    private static readonly string[] TlsKeys =
        ["bridge_cafile", "bridge_capath", "bridge_certfile", "bridge_keyfile", "bridge_alpn", "bridge_tls_version", "bridge_tls_use_os_certs"];

    // 3,650 days: the longest that is taken here.
    private const long LongestExpirySeconds = 3_650L * 86_400;

    private readonly Dictionary<string, string> _values = new(StringComparer.Ordinal);
    private readonly List<string> _topics = [];

    /// <summary>Takes a line; false: it is not known.</summary>
    public bool Take(string key, string value)
    {
        switch (key)
        {
            case "topic":
                _topics.Add(value);
                return true;
            case "address" or "addresses":
                _values["addresses"] = value;
                return true;
            case "clientid" or "remote_clientid":
                _values["remote_clientid"] = value;
                return true;
            case "username" or "remote_username":
                _values["remote_username"] = value;
                return true;
            case "password" or "remote_password":
                _values["remote_password"] = value;
                return true;
            case "round_robin" or "start_type" or "idle_timeout" or "keepalive_interval" or "cleansession" or "restart_timeout" or "notifications":
            case "notification_topic" or "notifications_local_only" or "try_private" or "bridge_protocol_version" or "bridge_cafile" or "bridge_certfile":
            case "bridge_keyfile" or "bridge_insecure" or "bridge_alpn" or "bridge_bind_address" or "bridge_max_packet_size" or "bridge_outgoing_retain":
            case "bridge_session_expiry_interval" or "bridge_tls_version" or "bridge_tls_use_os_certs" or "bridge_capath" or "bridge_require_ocsp":
            case "bridge_psk" or "bridge_identity" or "threshold":
                _values[key] = value;
                return true;
            default:
                if (!NotCarriedOver.ContainsKey(key)) return false;
                _values[key] = value;
                return true;
        }
    }

    /// <summary>Writes the table.</summary>
    public void Write(StringBuilder output, List<string> notes)
    {
        if (output.Length > 0) output.Append('\n');
        output.Append("[[bridge]]\n");
        Text(output, "name", Name);
        string[] addresses = (_values.GetValueOrDefault("addresses") ?? "").Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        output.Append(CultureInfo.InvariantCulture, $"addresses = [{string.Join(", ", addresses.Select(WithPort).Select(Quote))}]\n");
        // mosquitto leaves the last address only where it is told to; otherwise it goes back to the first, as here.
        if (Is("round_robin", "true")) Text(output, "order", "round-robin");
        if (_values.GetValueOrDefault("start_type") is "lazy") Text(output, "start", "lazy");
        if (_values.GetValueOrDefault("start_type") is "once") notes.Add($"{name}: start_type once has no counterpart; the bridge connects again after a loss");
        if (_values.ContainsKey("threshold")) notes.Add($"{name}: threshold has no counterpart; a lazy bridge connects when anything waits");
        foreach ((string key, string reason) in NotCarriedOver)
        {
            if (_values.ContainsKey(key)) notes.Add($"{name}: {key} is not carried over; {reason}");
        }

        Seconds(output, "idle_timeout", "idle_timeout");
        Seconds(output, "keepalive_interval", "keep_alive");
        if (Is("cleansession", "true")) output.Append("clean_start = true\n");
        // 3.1.1 is mosquitto's own default for bridges.
        string version = _values.GetValueOrDefault("bridge_protocol_version") ?? "mqttv311";
        Text(output, "version", version == "mqttv50" ? "5.0" : "3.1.1");
        if (version != "mqttv50") output.Append(CultureInfo.InvariantCulture, $"try_private = {(Is("try_private", "false") ? "false" : "true")}\n");
        Value(output, "remote_clientid", "client_id");
        Value(output, "remote_username", "user");
        WritePassword(output, notes);
        WriteRetry(output);
        Value(output, "bridge_bind_address", "bind_address");
        // 0 stands for no limit.
        if (_values.TryGetValue("bridge_max_packet_size", out string? bytes) && bytes != "0") Text(output, "max_packet_size", bytes + "B");
        WriteExpiry(output);
        bool isLocal = Is("notifications_local_only", "true");
        Text(output, "notifications", Is("notifications", "false") ? "off" : isLocal ? "local" : "both");
        Value(output, "notification_topic", "notification_topic");
        foreach (string topic in _topics) WriteRoute(output, topic, notes);
        if (Is("bridge_outgoing_retain", "false") && _topics.Exists(topic => topic.Contains(" both", StringComparison.Ordinal)))
        {
            notes.Add($"{name}: bridge_outgoing_retain false holds for routes out only; make two of one that goes both ways, the one out with retain = false");
        }

        WriteTls(output, notes);
    }

    private string Name => new([.. name.Select(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' ? c : '-')]);

    private bool SpeaksTls => Array.Exists(TlsKeys, key => _values.TryGetValue(key, out string? value) && value != "false");

    /// <summary>mosquitto's port is 1883 where none is given, with TLS, too.</summary>
    private static string WithPort(string address) => address.Contains(':', StringComparison.Ordinal) ? address : address + ":1883";

    private void WriteExpiry(StringBuilder output)
    {
        if (!_values.TryGetValue("bridge_session_expiry_interval", out string? value)) return;
        long seconds = long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out long given) ? given : 0;
        Text(output, "session_expiry", Math.Min(seconds, LongestExpirySeconds).ToString(CultureInfo.InvariantCulture) + "s");
    }

    private static string Quote(string text) =>
        "\"" + text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal) + "\"";

    private static void Text(StringBuilder output, string key, string value) => output.Append(CultureInfo.InvariantCulture, $"{key} = {Quote(value)}\n");

    private bool Is(string key, string value) => _values.GetValueOrDefault(key) == value;

    private void Value(StringBuilder output, string key, string name)
    {
        if (_values.TryGetValue(key, out string? value)) Text(output, name, value);
    }

    private void Seconds(StringBuilder output, string key, string name)
    {
        if (_values.TryGetValue(key, out string? value)) Text(output, name, value + "s");
    }

    private void WritePassword(StringBuilder output, List<string> notes)
    {
        if (!_values.ContainsKey("remote_password")) return;
        string file = Name + ".password";
        output.Append(CultureInfo.InvariantCulture, $"password = {{ file = {Quote(file)} }}\n");
        notes.Add($"{name}: write its password (remote_password) into {file}, beside the configuration; it does not stand in the configuration itself");
    }

    private void WriteRetry(StringBuilder output)
    {
        string[] waits = (_values.GetValueOrDefault("restart_timeout") ?? "").Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        if (waits.Length == 0) return;
        Text(output, "retry", waits[0] + "s");
        Text(output, "max_retry", waits[^1] + "s");
    }

    /// <summary><c>topic PATTERN [DIRECTION [QOS [LOCAL-PREFIX [REMOTE-PREFIX]]]]</c>; <c>""</c> stands for nothing.</summary>
    private void WriteRoute(StringBuilder output, string topic, List<string> notes)
    {
        string[] words = [.. topic.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Select(word => word == "\"\"" ? "" : word)];
        string pattern = words[0];
        string direction = words.Length > 1 ? words[1] : "out";
        string local = (words.Length > 3 ? words[3] : "") + pattern;
        string remote = (words.Length > 4 ? words[4] : "") + pattern;
        if (local.Length == 0 || remote.Length == 0 || direction is not ("out" or "in" or "both"))
        {
            notes.Add($"{name}: \"topic {topic}\" was left out; it makes no route");
            return;
        }

        output.Append("\n  [[bridge.route]]\n");
        Text(output.Append("  "), "direction", direction);
        Text(output.Append("  "), "local", local);
        if (remote != local) Text(output.Append("  "), "remote", remote);
        output.Append(CultureInfo.InvariantCulture, $"  qos = {(words.Length > 2 && words[2].Length > 0 ? words[2] : "0")}\n");
        if (Is("bridge_outgoing_retain", "false") && direction == "out") output.Append("  retain = false\n");
    }

    private void WriteTls(StringBuilder output, List<string> notes)
    {
        if (_values.ContainsKey("bridge_psk") || _values.ContainsKey("bridge_identity"))
        {
            notes.Add($"{name}: there is no TLS with a pre-shared key (bridge_psk, bridge_identity); the other side needs a certificate");
        }

        if (_values.ContainsKey("bridge_capath")) notes.Add($"{name}: bridge_capath is a directory; join its certificates into one file, given as \"ca\"");
        if (Is("bridge_require_ocsp", "true")) notes.Add($"{name}: bridge_require_ocsp has no counterpart; revoked certificates are not noticed");
        if (!SpeaksTls) return;
        output.Append("\n  [bridge.tls]\n");
        string[] keys = ["bridge_cafile", "bridge_certfile", "bridge_keyfile", "bridge_alpn"];
        foreach ((string key, string known) in keys.Zip(["ca", "cert", "key", "alpn"]))
        {
            if (_values.TryGetValue(key, out string? value)) Text(output.Append("  "), known, value);
        }

        if (Is("bridge_insecure", "true")) output.Append("  any_name = true\n");
        if (Is("bridge_tls_version", "tlsv1.3")) Text(output.Append("  "), "min_version", "1.3");
    }
}
