using EdgeBroker.Protocol;

namespace EdgeBroker.Cluster.Tests.Simulation;

/// <summary>Says what of a mesh's promises a world has not kept.</summary>
internal static class Judge
{
    public static List<string> FindFaults(World world)
    {
        List<string> faults = [.. world.Faults];
        if (!world.HasSettled) faults.Add("end: not everything has come to an end");
        foreach (Sent sent in world.Published.Where(one => one.IsAcknowledged)) FindLost(sent, faults);
        foreach (SimClient client in world.Clients)
        {
            FindRepeated(world, client, faults);
            FindDisorder(world, client, faults);
        }

        foreach (string id in world.Clients.Select(one => one.Id).Append("rival")) FindSecond(world, id, faults);
        FindDifferences(world, faults);
        return faults;
    }

    private static void FindLost(Sent sent, List<string> faults)
    {
        foreach (SimClient client in sent.Owed)
        {
            if (!client.Received.Contains(sent.Payload))
            {
                faults.Add($"lost: {Name(sent)} was acknowledged, and {client.Id} on node {client.Node.Number} never got it");
            }
        }
    }

    /// <summary>One connection and one owner of a client id in the whole cluster.</summary>
    private static void FindSecond(World world, string id, List<string> faults)
    {
        string[] connected = [.. world.Nodes.Where(one => one.Broker.FindSession(id) is { IsConnected: true }).Select(one => one.Name)];
        if (connected.Length > 1) faults.Add($"session: {id} is connected on {string.Join(" and ", connected)}");
        string[] owned = [.. world.Nodes.Where(one => one.Mesh.Sessions.Owns(id)).Select(one => one.Name)];
        if (owned.Length > 1) faults.Add($"session: {id} is owned by {string.Join(" and ", owned)}");
    }

    private static void FindRepeated(World world, SimClient client, List<string> faults)
    {
        if (client.QoS != QoS.ExactlyOnce) return;
        Dictionary<string, int> counts = client.Received.GroupBy(one => one).ToDictionary(one => one.Key, one => one.Count());
        foreach (Sent sent in world.Published.Where(one => one.QoS == QoS.ExactlyOnce && counts.GetValueOrDefault(one.Payload) > 1))
        {
            faults.Add($"twice: {Name(sent)} at {client.Id} on node {client.Node.Number}");
        }
    }

    /// <summary>The first time each comes is in the order of its publisher, topic and QoS.</summary>
    private static void FindDisorder(World world, SimClient client, List<string> faults)
    {
        Dictionary<string, Sent> byPayload = world.Published.ToDictionary(one => one.Payload);
        var last = new Dictionary<(SimNode, string, QoS), int>();
        foreach (string payload in client.Received.Distinct())
        {
            Sent sent = byPayload[payload];
            (SimNode, string, QoS) flow = (sent.Node, sent.Topic, sent.QoS);
            if (last.GetValueOrDefault(flow) > sent.Number) faults.Add($"order: {Name(sent)} came to {client.Id} after number {last[flow]}");
            last[flow] = sent.Number;
        }
    }

    private static void FindDifferences(World world, List<string> faults)
    {
        SortedDictionary<string, string> first = world.Nodes[0].RetainedSet(withTombstones: true);
        foreach (SimNode node in world.Nodes.Skip(1))
        {
            SortedDictionary<string, string> other = node.RetainedSet(withTombstones: true);
            if (!first.SequenceEqual(other)) faults.Add($"retained: nodes 1 and {node.Number} differ: {Show(first)} and {Show(other)}");
        }

        foreach ((string topic, long stamp) in world.RetainedStamps)
        {
            long now = world.Nodes[0].Broker.Retained.StampOf(World.Bytes(topic)).Value;
            if (now < stamp) faults.Add($"retained: {topic} was acknowledged with stamp {stamp}, and has {now}");
        }
    }

    private static string Name(Sent sent) => $"{sent.Payload.Split('.')[0]} (QoS {(int)sent.QoS}, {sent.Topic})";

    private static string Show(SortedDictionary<string, string> set) => string.Join(", ", set.Select(one => $"{one.Key}={one.Value}"));
}
