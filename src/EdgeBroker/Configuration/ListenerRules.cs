using EdgeBroker.Mqtt;

namespace EdgeBroker.Configuration;

/// <summary>What the keys of a listener mean together, and the listeners to one another.</summary>
internal static class ListenerRules
{
    /// <summary>The address of the embedded default, and of a file that names no listener.</summary>
    public const string DefaultAddress = "127.0.0.1:1883";

    private const string Built = "mqtt";

    // Of the contract, for the answer only: a technician reading about them should not think of a slip of the finger.
    private static readonly string[] NotBuilt = ["mqtts", "ws", "wss", "http", "https", "coap", "coaps"];

    public static List<ListenerOptions> Apply(List<ListenerDraft> drafts, bool hasCredentials, ConfigurationErrors errors, List<string> warnings)
    {
        var listeners = new List<ListenerOptions>(drafts.Count);
        for (int i = 0; i < drafts.Count; i++)
        {
            CheckProtocol(drafts[i], errors);
            if (drafts[i].Address is not { } address)
                continue;
            if (FirstOverlap(drafts, i, address) is { } earlier)
            {
                errors.Add(drafts[i].At("address"), $"address \"{Printable.Escape(address.Text)}\" is taken already by the listener at "
                    + $"{earlier.At("address")} (\"{Printable.Escape(earlier.Address!.Text)}\")");
            }
            bool anonymous = drafts[i].AllowAnonymous ?? address.IsLoopback;
            if (!address.IsLoopback)
                WarnOffLoopback(drafts[i], address, anonymous, hasCredentials, warnings);
            else if (hasCredentials && drafts[i].AllowAnonymous is null)
                warnings.Add($"{drafts[i].At("allow_anonymous")}: {AnonymousToo(Printable.Escape(address.Text))}");
            listeners.Add(drafts[i].Options with { Address = address.Text, AllowAnonymous = anonymous });
        }
        if (drafts.Count == 0)
        {
            if (hasCredentials)
                warnings.Add(AnonymousToo(DefaultAddress));
            listeners.Add(new ListenerOptions { Address = DefaultAddress, AllowAnonymous = true });
        }
        return listeners;
    }

    private static void CheckProtocol(ListenerDraft draft, ConfigurationErrors errors)
    {
        if (draft.Protocol is null or Built)
            return;
        string shown = ValueText.Quote(draft.Protocol);
        if (Array.IndexOf(NotBuilt, draft.Protocol) >= 0)
            errors.Add(draft.At("protocol"), $"protocol {shown} is not supported by this version; expected \"{Built}\"");
        else
            errors.Add(draft.At("protocol"), $"unknown protocol {shown}; expected \"{Built}\"");
    }

    private static ListenerDraft? FirstOverlap(List<ListenerDraft> drafts, int count, ListenAddress address)
    {
        for (int i = 0; i < count; i++)
        {
            if (drafts[i].Address is { } earlier && earlier.Overlaps(address))
                return drafts[i];
        }
        return null;
    }

    private static void WarnOffLoopback(ListenerDraft draft, ListenAddress address, bool anonymous, bool hasCredentials, List<string> warnings)
    {
        string shown = Printable.Escape(address.Text);
        if (anonymous)
        {
            warnings.Add($"{draft.At("allow_anonymous")}: anyone who reaches {shown} may connect, publish and subscribe: "
                + "allow_anonymous is set and the address is not loopback");
        }
        else if (!hasCredentials)
        {
            warnings.Add($"{draft.At("allow_anonymous")}: nobody can connect to {shown}: allow_anonymous is false off loopback unless set, "
                + "and [auth] knows no users");
        }
    }

    private static string AnonymousToo(string address) =>
        $"although [auth] knows users, any program on this machine may connect to {address} without a password: allow_anonymous is true on loopback unless set";
}
