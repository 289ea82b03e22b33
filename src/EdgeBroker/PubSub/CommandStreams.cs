namespace EdgeBroker.PubSub;

/// <summary>What a verb reads from, writes to and takes the time from; the terminal, or a test.</summary>
/// <param name="Input">Standard input.</param>
/// <param name="Output">Standard output: raw payload bytes.</param>
/// <param name="Errors">Standard error.</param>
/// <param name="Time">The clock.</param>
public sealed record CommandStreams(Stream Input, Stream Output, TextWriter Errors, TimeProvider Time)
{
    /// <summary>The process's own streams.</summary>
    public static CommandStreams OfProcess() => new(Console.OpenStandardInput(), Console.OpenStandardOutput(), Console.Error, TimeProvider.System);
}
