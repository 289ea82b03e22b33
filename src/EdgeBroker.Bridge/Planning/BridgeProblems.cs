namespace EdgeBroker.Bridge.Planning;

/// <summary>What is wrong with the settings of a bridge.</summary>
public sealed class BridgeProblems
{
    private readonly List<BridgeProblem> _all = [];

    /// <summary>All of them.</summary>
    public IReadOnlyList<BridgeProblem> All => _all;

    /// <summary>Adds one.</summary>
    /// <param name="key">The key that holds it.</param>
    /// <param name="text">What, and what to do.</param>
    public void Add(string key, string text) => _all.Add(new BridgeProblem(null, key, text));

    /// <summary>Adds one of a route.</summary>
    /// <param name="route">The route.</param>
    /// <param name="key">The key that holds it.</param>
    /// <param name="text">What, and what to do.</param>
    public void Add(RouteSettings route, string key, string text) => _all.Add(new BridgeProblem(route, key, text));
}

/// <summary>Something wrong with the settings of a bridge.</summary>
/// <param name="Route">The route; null: the bridge itself.</param>
/// <param name="Key">The key that holds it.</param>
/// <param name="Text">What, and what to do.</param>
public sealed record BridgeProblem(RouteSettings? Route, string Key, string Text);
