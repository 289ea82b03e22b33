namespace EdgeBroker.Core.Topics;

/// <summary>One level of a topic tree: its text, its parent, and the levels below it.</summary>
/// <typeparam name="TNode">The node type of the tree itself.</typeparam>
internal abstract class LevelNode<TNode>(byte[] level, int hash, TNode? parent)
    where TNode : LevelNode<TNode>
{
    /// <summary>The level's text, UTF-8.</summary>
    public readonly byte[] Level = level;

    /// <summary><see cref="LevelHash"/> of <see cref="Level"/>.</summary>
    public readonly int Hash = hash;

    /// <summary>The level above; null at the root.</summary>
    public readonly TNode? Parent = parent;

    /// <summary>The levels below.</summary>
    public LevelTable<TNode> Children;
}
