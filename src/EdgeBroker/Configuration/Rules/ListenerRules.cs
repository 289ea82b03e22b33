using EdgeBroker.Configuration.Schema;
using EdgeBroker.Configuration.Toml;
using EdgeBroker.Transport.Listeners;
using EdgeBroker.Transport.Tls;

namespace EdgeBroker.Configuration.Rules;

/// <summary>What the keys of a listener mean together, and the listeners to one another.</summary>
internal sealed class ListenerRules(ConfigurationErrors errors, List<string> warnings, TlsRules tlsRules, PskRules pskRules, bool hasCredentials)
{
    /// <summary>The address of the embedded default, and of a file that names no listener.</summary>
    public const string DefaultAddress = "127.0.0.1:1883";

    private readonly PeerRules _peerRules = new(errors, warnings);

    /// <summary>The listeners judged, in order.</summary>
    public List<ListenerSettings> Settings { get; } = [];

    /// <summary>Judges the listeners.</summary>
    /// <returns>Them, with what follows where nothing is said; and the default where there is none.</returns>
    public IReadOnlyList<ListenerDraft> Apply(IReadOnlyList<ListenerDraft> drafts)
    {
        var resolved = new List<ListenerDraft>(drafts);
        // Who knows users or asks for certificates means them to be asked for, and tries that on the gateway itself.
        bool knowsClients = hasCredentials || drafts.Any(
            draft => draft.Psk is not null || draft.Tls is { Options.ClientAuthentication: not ClientAuthentication.None });
        for (int i = 0; i < drafts.Count; i++)
        {
            ListenerProtocol protocol = ProtocolOf(drafts[i]);
            ListenerTable.Schema.FindMisplaced(drafts[i], drafts[i].Table, errors);
            if (drafts[i].Address is not { } address) continue;
            if (protocol.UsesDatagrams() && address.IsUnix)
            {
                errors.Add(drafts[i].At("address"), $"{protocol.ToWord()} is carried by UDP; expected \"host:port\" or \"[v6]:port\"");
                continue;
            }

            if (FirstOverlap(drafts, i, address) is { } earlier)
            {
                errors.Add(drafts[i].At("address"), $"address \"{Printable.Escape(address.Text)}\" is taken already by the listener at "
                    + $"{earlier.At("address")} (\"{Printable.Escape(earlier.Address!.Text)}\")");
            }

            PeerOptions peer = _peerRules.Apply(drafts[i], address);
            // Behind a proxy on this machine the clients are elsewhere.
            bool isLocal = address.IsLoopback && !drafts[i].IsProxied;
            bool anonymous = drafts[i].AllowAnonymous ?? (isLocal && !knowsClients);
            resolved[i] = drafts[i] with { AllowAnonymous = anonymous };
            if (protocol.SpeaksHttp())
            {
                if (!isLocal) WarnHttpOffLoopback(drafts[i], address, anonymous);
            }
            else if (!isLocal)
            {
                WarnOffLoopback(drafts[i], address, anonymous);
            }

            Add(drafts[i], protocol, address, anonymous, peer, LeavesIPv4(drafts, i, address));
        }

        if (drafts.Count == 0)
        {
            Settings.Add(new ListenerSettings { Protocol = ListenerProtocol.Mqtt, Address = DefaultAddress, AllowAnonymous = !hasCredentials });
            _ = ListenAddress.TryParse(DefaultAddress, out ListenAddress address);
            resolved.Add(new ListenerDraft(TomlTable.Nowhere) { Protocol = ListenerTable.Plain, Address = address, AllowAnonymous = !hasCredentials });
        }

        return resolved;
    }

    private void Add(ListenerDraft draft, ListenerProtocol protocol, ListenAddress address, bool anonymous, PeerOptions peer, bool leavesIPv4)
    {
        TlsOptions? tls = protocol.SpeaksTls() ? tlsRules.Apply(draft) : null;
        if (tls is null && protocol.SpeaksTls()) return;
        PskFile? psk = null;
        if (protocol == ListenerProtocol.Coaps)
        {
            if (draft.Tls is null && draft.Psk is null)
            {
                errors.Add(
                    draft.At("protocol"),
                    "protocol \"coaps\" needs a table [listener.psk] with file (\"edgebroker psk add\" makes one), or [listener.tls] with cert and key");
                return;
            }

            if (draft.Psk is not null && (psk = pskRules.Apply(draft)) is null) return;
            if (draft.Tls is not null && (tls = tlsRules.Apply(draft)) is null) return;
            if (tls is { Tls13Only: true })
            {
                errors.Add(draft.At("tls"), "min_version = \"1.3\": coaps speaks DTLS 1.2");
                return;
            }
        }

        Settings.Add(draft.Settings with
        {
            Protocol = protocol,
            Address = address.Text,
            IsIPv6Only = leavesIPv4,
            AllowAnonymous = anonymous,
            Proxies = peer.Proxies,
            SocketFile = peer.SocketFile,
            IdentifiesPeers = peer.IdentifiesPeers,
            Tls = tls,
            PskFile = psk is null ? null : pskRules.FullPath(draft),
        });
    }

    private ListenerProtocol ProtocolOf(ListenerDraft draft)
    {
        if (draft.Protocol is null) return ListenerProtocol.Mqtt;
        if (ListenerProtocols.Find(draft.Protocol) is { } known) return known;
        errors.Add(draft.At("protocol"), $"unknown protocol {ValueText.Quote(draft.Protocol)}; expected {ListenerTable.Protocol.Expected}");
        return ListenerProtocol.Mqtt;
    }

    private static ListenerDraft? FirstOverlap(IReadOnlyList<ListenerDraft> drafts, int count, ListenAddress address)
    {
        for (int i = 0; i < count; i++)
        {
            if (drafts[i].Address is { } earlier && earlier.Overlaps(address) && UsesDatagrams(drafts[i]) == UsesDatagrams(drafts[count])) return drafts[i];
        }

        return null;
    }

    // A socket of [::] takes IPv4 too, unless it is told not to; then another listener may have the same port there.
    private static bool LeavesIPv4(IReadOnlyList<ListenerDraft> drafts, int one, ListenAddress address)
    {
        if (!address.IsAnyIPv6 || UsesDatagrams(drafts[one])) return false;
        return drafts.Any(other => other.Address is { IsIPv4: true } v4 && v4.Port == address.Port && v4.Port != 0 && !UsesDatagrams(other));
    }

    private static bool UsesDatagrams(ListenerDraft draft) => ListenerProtocols.Find(draft.Protocol ?? "")?.UsesDatagrams() == true;

    private void WarnOffLoopback(ListenerDraft draft, ListenAddress address, bool anonymous)
    {
        string shown = Printable.Escape(address.Text);
        if (anonymous && !NeedsCertificate(draft))
        {
            warnings.Add($"{draft.At("allow_anonymous")}: anyone who reaches {shown} may connect, publish and subscribe: "
                + (draft.IsProxied
                    ? "allow_anonymous is set, and its clients are wherever the proxy's are"
                    : "allow_anonymous is set and the address is not loopback"));
        }
        else if (!anonymous && !hasCredentials && draft.Psk is null && (draft.Tls is null or { Options.ClientAuthentication: ClientAuthentication.None }))
        {
            warnings.Add(
                $"{draft.At("allow_anonymous")}: nobody can connect to {shown}: "
                + $"allow_anonymous is false {(draft.IsProxied ? "behind a proxy" : "off loopback")} unless set, "
                + "[auth] knows no users, and the listener asks for no certificates (client_auth)");
        }
    }

    private void WarnHttpOffLoopback(ListenerDraft draft, ListenAddress address, bool anonymous)
    {
        string shown = Printable.Escape(address.Text);
        HttpSurfaces serve = draft.Settings.Serve;
        if (anonymous && !NeedsCertificate(draft) && (serve & HttpSurfaces.Publish) != 0)
        {
            warnings.Add($"{draft.At("allow_anonymous")}: anyone who reaches {shown} may publish and read: allow_anonymous is set");
        }

        if ((serve & HttpSurfaces.Metrics) != 0 && (serve & (HttpSurfaces.Api | HttpSurfaces.Console)) == 0 && !NeedsCertificate(draft))
        {
            warnings.Add($"{draft.At("serve")}: anyone who reaches {shown} may read /metrics: the listener serves neither api nor console");
        }

        if (draft.Protocol == "http" && (serve & (HttpSurfaces.Api | HttpSurfaces.Console | HttpSurfaces.Publish)) != 0)
        {
            warnings.Add(
                $"{draft.At("protocol")}: passwords and tokens that are sent to {shown} can be read on the way; use \"https\", or serve = [\"health\"]");
        }
    }

    private static bool NeedsCertificate(ListenerDraft draft) => draft.Tls?.Options.ClientAuthentication == ClientAuthentication.Require;
}
