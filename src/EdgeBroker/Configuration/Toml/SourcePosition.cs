namespace EdgeBroker.Configuration.Toml;

/// <summary>A configuration file by the name its errors carry, and its turn among the files that are merged.</summary>
internal sealed record SourceFile(string Name, int Order)
{
    /// <summary>The file as a whole, for what concerns no line of it.</summary>
    public SourcePosition Whole => new(this, 0, 0);
}

/// <summary>
/// A place in a configuration file, as a person counts: first line, first column are 1. Line 0 stands for the file as a whole.
/// Ordered by the order in which files are read, then by place.
/// </summary>
internal readonly record struct SourcePosition(SourceFile File, int Line, int Column) : IComparable<SourcePosition>
{
    public int CompareTo(SourcePosition other)
    {
        int order = File.Order.CompareTo(other.File.Order);
        if (order == 0) order = Line.CompareTo(other.Line);
        return order != 0 ? order : Column.CompareTo(other.Column);
    }

    public override string ToString() => Line == 0 ? File.Name : $"{File.Name}:{Line}:{Column}";

    public static bool operator <(SourcePosition left, SourcePosition right) => left.CompareTo(right) < 0;

    public static bool operator >(SourcePosition left, SourcePosition right) => left.CompareTo(right) > 0;

    public static bool operator <=(SourcePosition left, SourcePosition right) => left.CompareTo(right) <= 0;

    public static bool operator >=(SourcePosition left, SourcePosition right) => left.CompareTo(right) >= 0;
}

/// <summary>A value and where it was written, for what is found wrong with it only later.</summary>
internal sealed record Located<T>(T Value, SourcePosition Position);
