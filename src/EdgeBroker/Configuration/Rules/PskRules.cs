using EdgeBroker.Configuration.Toml;
using EdgeBroker.Transport.Tls;

namespace EdgeBroker.Configuration.Rules;

/// <summary>What a <c>[listener.psk]</c> means, and what the file it names holds.</summary>
internal sealed class PskRules(SecretFiles files, ConfigurationErrors errors, List<string> warnings)
{
    /// <summary>The file's full path.</summary>
    public string FullPath(Schema.ListenerDraft listener) => files.FullPath(listener.Psk!.File!);

    /// <summary>The clients of the file; null when it cannot be used, which has been reported.</summary>
    public PskFile? Apply(Schema.ListenerDraft listener)
    {
        if (listener.Psk?.File is not { Length: > 0 } path || listener.Table.Find("psk")?.Node is not TomlTable table) return null;
        SourcePosition at = table.Find("file")?.Node.Position ?? table.Position;
        if (files.Read(path, at, "file") is not { } bytes) return null;
        string shown = Printable.Escape(path);
        // Behind the errors of the configuration's own files.
        var source = new SourceFile(shown, int.MaxValue);
        bool isGood = true;
        PskFile file = PskFile.Parse(bytes, (line, text) =>
        {
            isGood = false;
            errors.Add(new SourcePosition(source, line, 1), Printable.Escape(text));
        });
        if (isGood && file.Entries.Count == 0) warnings.Add($"{at}: {shown} holds nobody yet; add one with `edgebroker psk add {shown} NAME`");
        return isGood ? file : null;
    }
}
