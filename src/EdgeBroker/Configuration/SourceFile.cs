namespace EdgeBroker.Configuration;

/// <summary>A configuration file by the name its errors carry, and its turn among the files that are merged.</summary>
internal sealed record SourceFile(string Name, int Order)
{
    /// <summary>The file as a whole, for what concerns no line of it.</summary>
    public SourcePosition Whole => new(this, 0, 0);
}
