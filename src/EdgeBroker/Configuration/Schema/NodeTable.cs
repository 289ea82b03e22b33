namespace EdgeBroker.Configuration.Schema;

/// <summary>The keys of <c>[node]</c>.</summary>
internal static class NodeTable
{
    public static readonly TableSchema<NodeOptions> Schema = new TableSchema<NodeOptions>("[node]")
        .Key(
            "name",
            Kinds.Text("a name of 1 to 64 letters, digits, \".\", \"_\" or \"-\"", IsNodeName),
            o => o.Name,
            (o, v) => o with { Name = v },
            Applies.AfterRestart("it is read when the broker starts"),
            "default: the host name",
            example: "\"gw-017\"")
        .Key(
            "data_dir",
            Kinds.Directory,
            o => o.DataDirectory,
            (o, v) => o with { DataDirectory = v },
            Applies.AfterRestart("the store in the former one is open"),
            "default: $STATE_DIRECTORY under systemd, else edgebroker-data in the working directory",
            example: "\"/var/lib/edgebroker\"");

    private static bool IsNodeName(string name) => name.Length is > 0 and <= 64 && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-');
}
