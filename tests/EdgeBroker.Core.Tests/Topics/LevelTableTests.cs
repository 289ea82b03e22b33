using System.Text;
using CsCheck;
using EdgeBroker.Core.Tests.Rig;
using EdgeBroker.Core.Topics;

namespace EdgeBroker.Core.Tests.Topics;

public sealed class LevelTableTests
{
    [Fact]
    public void Finds_what_was_added_and_not_what_was_removed() => Steps.Of(3, 400).Sample(steps =>
    {
        var root = new Node([], 0, 0, null);
        var model = new Dictionary<string, Node>();
        foreach ((int op, int a, _) in steps)
        {
            string name = Name(a);
            if (op < 2) AddOrRemove(root, model, name);
            Assert.Equal(model.GetValueOrDefault(name), Find(root, name));
            Assert.Equal(model.Count, root.Children.Count);
        }

        for (int a = 0; a < 60; a++) Assert.Equal(model.GetValueOrDefault(Name(a)), Find(root, Name(a)));
    });

    [Fact]
    public void A_walk_by_slot_meets_each_lasting_child_once() => Steps.Of(4, 400).Sample(steps =>
    {
        var root = new Node([], 0, 0, null);
        var model = new Dictionary<string, Node>();
        var lasting = new HashSet<Node>();
        var met = new HashSet<Node>();
        int slot = -1;
        foreach ((int op, int a, _) in steps)
        {
            if (op < 3)
            {
                if (AddOrRemove(root, model, Name(a)) is { } removed) lasting.Remove(removed);
            }
            else if (slot < 0)
            {
                lasting = [.. model.Values];
                slot = 0;
            }
            else
            {
                Visit();
            }
        }

        if (slot < 0) return;
        while (slot < root.Children.SlotCount) Visit();
        Assert.Subset(met, lasting);

        void Visit()
        {
            if (root.Children.At(slot++) is { } node) Assert.True(met.Add(node), "a child was met twice");
        }
    });

    [Fact]
    public void Thousands_of_children_come_and_go()
    {
        var root = new Node([], 0, 0, null);
        var model = new Dictionary<string, Node>();
        for (int round = 0; round < 3; round++)
        {
            for (int i = 0; i < 5_000; i++) AddOrRemove(root, model, $"{round}/{i}");
            foreach ((string name, Node node) in model) Assert.Same(node, Find(root, name));
            foreach (string name in model.Keys.Where((_, at) => at % 5 != 0).ToArray()) AddOrRemove(root, model, name);
        }

        foreach (string name in model.Keys.ToArray()) AddOrRemove(root, model, name);
        Assert.Equal(0, root.Children.Count);
    }

    private static string Name(int a) => "level" + (a % 60);

    private static Node? Find(Node root, string name)
    {
        byte[] level = Encoding.UTF8.GetBytes(name);
        return root.Children.Find(level);
    }

    /// <summary>Adds the child, or removes it when it is there; returns the removed one.</summary>
    private static Node? AddOrRemove(Node root, Dictionary<string, Node> model, string name)
    {
        if (model.Remove(name, out Node? node))
        {
            root.Children.Remove(node);
            return node;
        }

        byte[] level = Encoding.UTF8.GetBytes(name);
        node = new Node(level, 0, level.Length, root);
        model.Add(name, node);
        root.Children.Add(node);
        return null;
    }

    private sealed class Node(byte[] text, int start, int length, Node? parent) : LevelNode<Node>(text, start, length, parent);
}
