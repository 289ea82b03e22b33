using Tomlyn.Syntax;

namespace EdgeBroker.Configuration.Toml;

/// <summary>Turns the syntax of one file into tables, reporting what is written twice; and merges the tables of several files.</summary>
internal sealed class TomlTreeBuilder(SourceFile file, ConfigurationErrors errors)
{
    public TomlTable Build(DocumentSyntax document)
    {
        var root = new TomlTable(new SourcePosition(file, 1, 1)) { IsDefined = true };
        AddItems(root, document.KeyValues);
        foreach (TableSyntaxBase header in document.Tables)
        {
            if (header.Name?.Key is null) continue;
            TomlTable? table = header is TableArraySyntax ? AppendTable(root, header) : OpenTable(root, header);
            // A rejected header still has its keys checked against each other, in a table nobody sees.
            AddItems(table ?? new TomlTable(At(header)), header.Items);
        }

        return root;
    }

    /// <summary>Adds the tables of a later file: tables merge, arrays of tables append, and of a key set in both the later one holds.</summary>
    /// <param name="into">The tables so far.</param>
    /// <param name="from">Those of the later file.</param>
    /// <param name="errors">Is told of what cannot be merged.</param>
    /// <param name="replaced">Is told of each key that is set twice: its path, where it was set, and where it is set now.</param>
    /// <param name="path">The path of the tables, as "mqtt."; empty for the file.</param>
    public static void Merge(
        TomlTable into, TomlTable from, ConfigurationErrors errors, Action<string, SourcePosition, SourcePosition> replaced, string path = "")
    {
        foreach (TomlEntry entry in from.Entries)
        {
            TomlEntry? existing = into.Find(entry.Name);
            if (existing is null)
            {
                into.Add(entry);
            }
            else if (existing.Node is TomlTable { IsInline: false } table && entry.Node is TomlTable { IsInline: false } addition)
            {
                Merge(table, addition, errors, replaced, $"{path}{entry.Name}.");
            }
            else if (existing.Node is TomlTableArray tables && entry.Node is TomlTableArray additions)
            {
                tables.Tables.AddRange(additions.Tables);
            }
            else if (existing.Node is TomlScalar or TomlTable { IsInline: true } && entry.Node is TomlScalar or TomlTable { IsInline: true })
            {
                replaced(path + entry.Name, existing.Position, entry.Position);
                into.Replace(entry);
            }
            else
            {
                errors.Add(entry.Position, $"\"{entry.Name}\" is written in another way at {existing.Position}");
            }
        }
    }

    private TomlTable? OpenTable(TomlTable root, TableSyntaxBase header)
    {
        List<BareKeyOrStringValueSyntax> path = PathOf(header.Name!);
        TomlTable? parent = Descend(root, path, viaHeader: true);
        if (parent is null) return null;
        string name = NameOf(path[^1]);
        TomlEntry? existing = parent.Find(name);
        if (existing is null)
        {
            var table = new TomlTable(At(header)) { IsDefined = true };
            parent.Add(new TomlEntry(name, At(path[^1]), table));
            return table;
        }

        if (existing.Node is TomlTable { IsDefined: false } implied)
        {
            implied.IsDefined = true;
            return implied;
        }

        errors.Add(At(header), existing.Node is TomlTableArray
            ? $"[{Join(path)}] is written [[{Join(path)}]] at {existing.Node.Position}"
            : $"[{Join(path)}] is defined already at {existing.Position}");
        return null;
    }

    private TomlTable? AppendTable(TomlTable root, TableSyntaxBase header)
    {
        List<BareKeyOrStringValueSyntax> path = PathOf(header.Name!);
        TomlTable? parent = Descend(root, path, viaHeader: true);
        if (parent is null) return null;
        string name = NameOf(path[^1]);
        TomlEntry? existing = parent.Find(name);
        if (existing is null)
        {
            existing = new TomlEntry(name, At(path[^1]), new TomlTableArray(At(header)));
            parent.Add(existing);
        }

        if (existing.Node is not TomlTableArray tables || tables.Tables is [{ IsInline: true }, ..])
        {
            errors.Add(At(header), $"[[{Join(path)}]] is written in another way at {existing.Position}");
            return null;
        }

        var table = new TomlTable(At(header)) { IsDefined = true };
        tables.Tables.Add(table);
        return table;
    }

    private void AddItems(TomlTable table, SyntaxList<KeyValueSyntax> items)
    {
        foreach (KeyValueSyntax item in items) AddItem(table, item);
    }

    private void AddItem(TomlTable table, KeyValueSyntax item)
    {
        // Either is missing where the syntax is broken, which has been reported.
        if (item.Key?.Key is null || item.Value is null) return;
        List<BareKeyOrStringValueSyntax> path = PathOf(item.Key);
        TomlTable? parent = Descend(table, path, viaHeader: false);
        if (parent is null) return;
        string name = NameOf(path[^1]);
        if (parent.Find(name) is { } existing) errors.Add(At(path[^1]), $"key \"{Join(path)}\" is set already at {existing.Position}");
        else parent.Add(new TomlEntry(name, At(path[^1]), NodeOf(item.Value)));
    }

    private TomlNode NodeOf(ValueSyntax value)
    {
        if (value is InlineTableSyntax inline) return InlineTable(inline);
        if (value is ArraySyntax array && HoldsTables(array))
        {
            var tables = new TomlTableArray(At(value));
            foreach (ArrayItemSyntax item in array.Items) tables.Tables.Add(InlineTable((InlineTableSyntax)item.Value!));
            return tables;
        }

        return new TomlScalar(At(value), value);
    }

    private TomlTable InlineTable(InlineTableSyntax inline)
    {
        // Open while it is filled: its dotted keys may meet in one table.
        var table = new TomlTable(At(inline)) { IsDefined = true, IsInline = true };
        foreach (InlineTableItemSyntax item in inline.Items)
        {
            if (item.KeyValue is not null) AddItem(table, item.KeyValue);
        }

        return table;
    }

    private static bool HoldsTables(ArraySyntax array)
    {
        foreach (ArrayItemSyntax item in array.Items)
        {
            if (item.Value is not InlineTableSyntax) return false;
        }

        return array.Items.ChildrenCount > 0;
    }

    /// <summary>The table that holds the last part of a path, made on the way where it does not exist.</summary>
    private TomlTable? Descend(TomlTable from, List<BareKeyOrStringValueSyntax> path, bool viaHeader)
    {
        TomlTable table = from;
        for (int i = 0; i < path.Count - 1; i++)
        {
            string name = NameOf(path[i]);
            TomlEntry? existing = table.Find(name);
            if (existing is null)
            {
                var made = new TomlTable(At(path[i])) { IsDefined = !viaHeader };
                table.Add(new TomlEntry(name, At(path[i]), made));
                table = made;
            }
            else if (existing.Node is TomlTable { IsInline: false } next)
            {
                table = next;
            }
            else if (viaHeader && existing.Node is TomlTableArray tables && !tables.Tables[^1].IsInline)
            {
                table = tables.Tables[^1];
            }
            else
            {
                errors.Add(At(path[i]), $"\"{name}\" is set already at {existing.Position} and cannot be added to");
                return null;
            }
        }

        return table;
    }

    private static List<BareKeyOrStringValueSyntax> PathOf(KeySyntax key)
    {
        var path = new List<BareKeyOrStringValueSyntax>(1 + key.DotKeys.ChildrenCount) { key.Key! };
        foreach (DottedKeyItemSyntax item in key.DotKeys)
        {
            if (item.Key is not null) path.Add(item.Key);
        }

        return path;
    }

    private static string NameOf(BareKeyOrStringValueSyntax part) => part switch
    {
        BareKeySyntax bare => bare.Key?.Text ?? "",
        StringValueSyntax quoted => quoted.Value ?? "",
        _ => "",
    };

    private static string Join(List<BareKeyOrStringValueSyntax> path)
    {
        string joined = NameOf(path[0]);
        for (int i = 1; i < path.Count; i++) joined += "." + NameOf(path[i]);
        return joined;
    }

    private SourcePosition At(SyntaxNode node) => new(file, node.Span.Start.Line + 1, node.Span.Start.Column + 1);
}
