namespace EdgeBroker.Configuration;

/// <summary>A value and where it was written, for what is found wrong with it only later.</summary>
internal sealed record Located<T>(T Value, SourcePosition Position);
