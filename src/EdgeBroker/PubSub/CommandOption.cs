namespace EdgeBroker.PubSub;

/// <summary>One option of a verb, under the names mosquitto's clients have for it.</summary>
/// <param name="Long">The name with two dashes; what the code asks for.</param>
/// <param name="Short">The name with one dash, or null.</param>
/// <param name="Verbs">Which verbs have it.</param>
internal sealed record CommandOption(string Long, string? Short, Verbs Verbs = Verbs.Both)
{
    public static readonly CommandOption[] All =
    [
        new("--host", "-h"), new("--port", "-p"), new("--unix", null), new("--ws", null), new("--ws-path", null), new("--url", "-L"), new("--bind", "-A"), new("--nodelay", null),
        new("--topic", "-t"), new("--qos", "-q"), new("--id", "-i"), new("--id-prefix", "-I"), new("--username", "-u"), new("--pw", "-P"), new("--pw-file", null), new("--auth-method", null),
        new("--protocol-version", "-V"), new("--keepalive", "-k"), new("--disable-clean-session", "-c"), new("--session-expiry-interval", "-x"),
        new("--will-topic", null), new("--will-payload", null), new("--will-qos", null), new("--will-retain", null), new("--property", "-D"),
        new("--debug", "-d"), new("--quiet", null), new("--help", null),
        new("--cafile", null), new("--capath", null), new("--cert", null), new("--key", null), new("--insecure", null), new("--tls-version", null), new("--tls-alpn", null), new("--tls-use-os-certs", null),
        new("--message", "-m", Verbs.Pub), new("--file", "-f", Verbs.Pub), new("--stdin-line", "-l", Verbs.Pub), new("--stdin-file", "-s", Verbs.Pub),
        new("--null-message", "-n", Verbs.Pub), new("--retain", "-r", Verbs.Pub), new("--repeat", null, Verbs.Pub), new("--repeat-delay", null, Verbs.Pub),
        new("--max-inflight", "-M", Verbs.Pub),
        new("--count", "-C", Verbs.Sub), new("--timeout", "-W", Verbs.Sub), new("--no-retained", "-R", Verbs.Sub), new("--retained-only", null, Verbs.Sub),
        new("--remove-retained", null, Verbs.Sub), new("--retain-as-published", null, Verbs.Sub), new("--filter-out", "-T", Verbs.Sub),
        new("--unsubscribe", "-U", Verbs.Sub), new("--exit-on-subscribe", "-E", Verbs.Sub), new("--verbose", "-v", Verbs.Sub),
        new("--no-eol", "-N", Verbs.Sub), new("--format", "-F", Verbs.Sub), new("--pretty", null, Verbs.Sub),
    ];

    /// <summary>Options of mosquitto's clients that need something this build does not have.</summary>
    public static readonly string[] NotSupported =
    [
        "--keyform", "--ciphers", "--tls-engine", "--tls-engine-kpass-sha1", "--psk", "--psk-identity", "--proxy", "--random-filter", "-S",
    ];
}
