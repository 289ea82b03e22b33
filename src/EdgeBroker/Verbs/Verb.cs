namespace EdgeBroker.Verbs;

/// <summary>One thing the executable does when asked by name.</summary>
/// <param name="Name">The word on the command line.</param>
/// <param name="Summary">One line in the list of verbs.</param>
/// <param name="Usage">What <c>help NAME</c> prints; a verb that prints its own leaves it empty and gets <c>--help</c> as its argument.</param>
/// <param name="Run">Takes the arguments after the name and returns an <see cref="ExitCode"/>.</param>
internal sealed record Verb(string Name, string Summary, string Usage, Func<string[], Surroundings, int> Run);
